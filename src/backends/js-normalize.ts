/** Batch normalization of the `js` backend. */

import type { HostArray } from './backend.js';
import { sumColumns } from './js-sums.js';

/** See `batchNorm` in backend.ts. The deviations are squared after the mean is known. */
export function batchNorm(
  out: HostArray,
  mean: HostArray,
  inverse: HostArray,
  variance: HostArray,
  x: HostArray,
  gamma: HostArray | null,
  beta: HostArray | null,
  rows: number,
  channels: number,
  epsilon: number,
): void {
  const means = new Float64Array(channels);
  sumColumns(means, 'sum', x, 0, rows, channels);
  for (let c = 0; c < channels; c++) means[c] = means[c]! / rows;
  const variances = new Float64Array(channels);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, i++) {
      const deviation = x[i]! - means[c]!;
      variances[c] = variances[c]! + deviation * deviation;
    }
  }
  const scales = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    const value = variances[c]! / rows;
    const reciprocal = 1 / Math.sqrt(value + epsilon);
    mean[c] = means[c]!;
    variance[c] = value;
    inverse[c] = reciprocal;
    scales[c] = gamma ? reciprocal * gamma[c]! : reciprocal;
  }
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, i++) {
      const value = (x[i]! - means[c]!) * scales[c]!;
      out[i] = beta ? value + beta[c]! : value;
    }
  }
}

/** See `batchNormBackward` in backend.ts. */
export function batchNormBackward(
  dx: HostArray | null,
  dgamma: HostArray | null,
  dbeta: HostArray | null,
  g: HostArray,
  x: HostArray,
  mean: HostArray,
  inverse: HostArray,
  gamma: HostArray | null,
  rows: number,
  channels: number,
): void {
  const sums = new Float64Array(channels); // Σ g
  const products = new Float64Array(channels); // Σ g · normalized x
  sumColumns(sums, 'sum', g, 0, rows, channels);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, i++) {
      products[c] = products[c]! + g[i]! * (x[i]! - mean[c]!) * inverse[c]!;
    }
  }
  dgamma?.set(products);
  dbeta?.set(sums);
  if (!dx) return;
  for (let c = 0; c < channels; c++) {
    sums[c] = sums[c]! / rows;
    products[c] = (products[c]! / rows) * inverse[c]!;
  }
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++, i++) {
      const scale = gamma ? gamma[c]! * inverse[c]! : inverse[c]!;
      dx[i] = scale * (g[i]! - sums[c]! - (x[i]! - mean[c]!) * products[c]!);
    }
  }
}
