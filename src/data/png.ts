/**
 * PNG images as a stream of rows: whole, a sheet of ten thousand small images would take as much
 * memory as what it is converted to, several times over. Eight bits a channel, RGB or RGBA, not
 * interlaced: what data sets are packed in.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflate } from 'node:zlib';
import { SourceError } from './data-error.js';

/** An image whose pixels are yet to come. */
export interface PngRows {
  readonly width: number;
  readonly height: number;
  /** 3: red, green, blue; 4: alpha too. */
  readonly channels: number;
  /** `height` rows of [width, channels], each valid until the next. To be read to the end. */
  readonly rows: AsyncIterable<Uint8Array>;
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const channelsOf: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

/** Decodes a PNG without loss. Throws SourceError where it is none, damaged, or of another kind. */
export async function decodePng(source: AsyncIterable<Uint8Array>): Promise<PngRows> {
  const bytes = new ByteReader(source);
  if (!(await bytes.take(signature.length)).equals(signature)) throw broken('it has no signature');
  const { type, length } = await chunkHead(bytes);
  if (type !== 'IHDR' || length !== 13) throw broken('it does not begin with its size');
  const header = await bytes.take(length);
  await bytes.take(checksum);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = channelsOf[header[9]!];
  if (header[8] !== 8 || channels === undefined || header[12] !== 0) {
    throw broken('expected 8 bits a channel, RGB or RGBA, not interlaced');
  }
  return { width, height, channels, rows: unfiltered(inflated(bytes), width, height, channels) };
}

const broken = (what: string): SourceError => new SourceError(`a PNG cannot be read: ${what}`);

// ---- chunks -------------------------------------------------------------------------------------

/** Bytes of a chunk's checksum; what is unpacked is compared with a better one. */
const checksum = 4;

async function chunkHead(bytes: ByteReader): Promise<{ length: number; type: string }> {
  const head = await bytes.take(8);
  return { length: head.readUInt32BE(0), type: head.toString('latin1', 4) };
}

/** The compressed data, in pieces. */
async function* compressed(bytes: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { length, type } = await chunkHead(bytes);
    if (type === 'IEND') return;
    for (let left = length; left > 0;) {
      const piece = await bytes.some(left);
      left -= piece.length;
      if (type === 'IDAT') yield piece;
    }
    await bytes.take(checksum);
  }
}

async function* inflated(bytes: ByteReader): AsyncGenerator<Uint8Array> {
  const inflate = createInflate();
  const end = pipeline(Readable.from(compressed(bytes)), inflate);
  end.catch(() => undefined); // reading its output throws the same
  try {
    yield* inflate as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') ? broken(message) : error;
  }
}

/** A stream taken in portions of one's own. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte, `most` at most, as they come. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) throw broken('it ends too early');
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** Exactly so many bytes. */
  async take(count: number): Promise<Buffer> {
    const taken = Buffer.alloc(count);
    for (let filled = 0; filled < count;) {
      const piece = await this.some(count - filled);
      taken.set(piece, filled);
      filled += piece.length;
    }
    return taken;
  }
}

// ---- filters (PNG specification, 9.2) -----------------------------------------------------------

async function* unfiltered(
  data: AsyncIterable<Uint8Array>,
  width: number,
  height: number,
  channels: number,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteReader(data);
  let [row, above] = [new Uint8Array(width * channels), new Uint8Array(width * channels)];
  for (let y = 0; y < height; y++) {
    const line = await bytes.take(1 + row.length);
    unfilter(row, line, above, channels);
    yield row;
    [row, above] = [above, row];
  }
}

/** A row from its filtered form, whose first byte names the filter, and the row above it. */
function unfilter(row: Uint8Array, line: Uint8Array, above: Uint8Array, channels: number): void {
  const filter = line[0]!;
  if (filter > 4) throw broken(`it has a filter ${filter}`);
  for (let i = 0; i < row.length; i++) {
    const left = i < channels ? 0 : row[i - channels]!;
    const up = above[i]!;
    let guess = 0;
    if (filter === 1) guess = left;
    else if (filter === 2) guess = up;
    else if (filter === 3) guess = (left + up) >> 1;
    else if (filter === 4) guess = paeth(left, up, i < channels ? 0 : above[i - channels]!);
    row[i] = line[1 + i]! + guess;
  }
}

/** Of the three neighbours the one nearest to left + up − corner. */
function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
