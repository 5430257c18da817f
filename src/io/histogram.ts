/** Histograms as TensorBoard draws them. */

const bucketCount = 30;

/**
 * Rows [left edge, right edge, number of values], one per bucket, all of one width from the least
 * to the greatest finite value; the last bucket includes its right edge. When all values are equal
 * every bucket is that point and the last holds them all, which is how TensorBoard itself does it.
 */
export function histogramOf(values: ArrayLike<number>): Float64Array {
  const rows = new Float64Array(3 * bucketCount);
  let low = Infinity;
  let high = -Infinity;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    count++;
  }
  if (count === 0) return rows;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    rows[3 * bucket] = edge(low, high, bucket);
    rows[3 * bucket + 1] = edge(low, high, bucket + 1);
  }
  if (low === high) rows[3 * bucketCount - 1] = count;
  else fill(rows, values, low, high);
  return rows;
}

const edge = (low: number, high: number, bucket: number): number =>
  bucket === bucketCount ? high : low + (bucket / bucketCount) * (high - low);

function fill(rows: Float64Array, values: ArrayLike<number>, low: number, high: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    const bucket = Math.min(
      bucketCount - 1,
      Math.floor(((value - low) / (high - low)) * bucketCount),
    );
    rows[3 * bucket + 2]!++;
  }
}
