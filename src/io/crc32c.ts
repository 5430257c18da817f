/** CRC-32C (Castagnoli), the check sum of TensorBoard's records; RFC 3720 gives test vectors. */

const reversedPolynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder >>> 1) ^ (remainder & 1 ? reversedPolynomial : 0);
  }
  return remainder;
});

/** The check sum, 0 to 2^32 − 1. */
export function crc32c(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ table[(remainder ^ byte) & 255]!;
  return (remainder ^ 0xffffffff) >>> 0;
}

/** The check sum turned and shifted, as records hold it: sums of sums are weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
