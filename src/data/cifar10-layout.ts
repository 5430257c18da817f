/**
 * CIFAR-10's own binary layout, and nothing of where its bytes come from.
 *
 * A file is a sequence of records of 3073 bytes: the label (0 to 9), then 32 x 32 pixels as three
 * planes, red, green, blue, row by row. (https://www.cs.toronto.edu/~kriz/cifar.html)
 */
export const SIDE = 32;
export const CHANNELS = 3;
export const PIXELS = SIDE * SIDE;
export const IMAGE_BYTES = PIXELS * CHANNELS;
export const RECORD_BYTES = 1 + IMAGE_BYTES;

/**
 * Spreads records over images and labels, beginning with image number `first`.
 *
 * @param records [count, 3073]
 * @param images [at least first + count, 32, 32, 3], written
 * @param labels [at least first + count], written
 */
export function decodeRecords(
  records: Uint8Array,
  images: Uint8Array,
  labels: Uint8Array,
  first: number,
): void {
  const count = records.length / RECORD_BYTES;
  for (let i = 0; i < count; i++) {
    let red = i * RECORD_BYTES;
    labels[first + i] = records[red++]!;
    let to = (first + i) * IMAGE_BYTES;
    for (const end = red + PIXELS; red < end; red++) {
      images[to++] = records[red]!;
      images[to++] = records[red + PIXELS]!;
      images[to++] = records[red + 2 * PIXELS]!;
    }
  }
}

/**
 * The inverse: records from pixels in the order they are painted.
 *
 * @param pixels [count, 32, 32, channels] with 3 or more channels, of which the first 3 count
 * @param labels [count], each 0 to 9
 * @returns [count, 3073]
 */
export function encodeRecords(
  pixels: Uint8Array,
  channels: number,
  labels: ArrayLike<number>,
): Uint8Array {
  const records = new Uint8Array(labels.length * RECORD_BYTES);
  let from = 0;
  for (let i = 0; i < labels.length; i++) {
    let red = i * RECORD_BYTES;
    records[red++] = labels[i]!;
    for (const end = red + PIXELS; red < end; red++, from += channels) {
      records[red] = pixels[from]!;
      records[red + PIXELS] = pixels[from + 1]!;
      records[red + 2 * PIXELS] = pixels[from + 2]!;
    }
  }
  return records;
}
