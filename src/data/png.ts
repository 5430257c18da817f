/** PNG images as pixels. */
import { PNG } from 'pngjs';

/** An image of `width` x `height` pixels, four bytes each: red, green, blue, alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array; // [height, width, 4]
}

/** Decodes a PNG without loss; inflating runs beside the event loop. */
export function decodePng(bytes: Buffer): Promise<Pixels> {
  return new Promise((resolve, reject) => {
    new PNG().parse(bytes, (error, image) => {
      // The callback's first argument is null on success, whatever its type says.
      if (error as Error | null) reject(error);
      else resolve(image);
    });
  });
}
