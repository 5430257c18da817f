/** Small images inside a page. */

import { PNG } from 'pngjs';

/** A data URL of an image of `side` × `side` pixels: red, green, blue, row by row. */
export function pngOf(pixels: Uint8Array, side: number): string {
  const png = new PNG({ width: side, height: side, colorType: 2 });
  for (let i = 0; i < side * side; i++) {
    png.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    png.data[4 * i + 3] = 255;
  }
  return `data:image/png;base64,${PNG.sync.write(png, { colorType: 2 }).toString('base64')}`;
}
