/**
 * Writes protocol-buffer messages, field by field. Enough for the few messages TensorBoard reads.
 * Encoding: https://protobuf.dev/programming-guides/encoding
 */

const wireType = { varint: 0, eightBytes: 1, lengthFirst: 2, fourBytes: 5 } as const;

/** A message being written. Fields are numbered as in its .proto file. */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** A whole number, 0 to 2^53 − 1 (also enumerations and booleans). */
  integer(field: number, value: number): this {
    this.#tag(field, wireType.varint);
    return this.#push(varint(value));
  }

  double(field: number, value: number): this {
    this.#tag(field, wireType.eightBytes);
    return this.#push(new Uint8Array(Float64Array.of(value).buffer));
  }

  float(field: number, value: number): this {
    this.#tag(field, wireType.fourBytes);
    return this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, wireType.lengthFirst);
    return this.#push(varint(value.length)).#push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encode());
  }

  /** The bytes of the fields so far. */
  encode(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #tag(field: number, type: number): void {
    this.#push(varint(field * 8 + type));
  }

  #push(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }
}

/** Seven bits a byte, the lowest first; the eighth bit says that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  bytes.push(value);
  return Uint8Array.from(bytes);
}
