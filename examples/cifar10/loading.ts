/** The data, and how far it has come. */

import { datasets } from 'gradloom';

/** CIFAR-10 as the exercise divides it, with `limit` of the training images at most. */
export async function loadData(
  limit = Infinity,
  signal?: AbortSignal,
): Promise<datasets.Cifar10Datasets> {
  const data = await datasets.cifar10({
    validation: 5000,
    onProgress: showLoading(),
    ...(signal && { signal }),
  });
  const { x, y } = data.train;
  const part: [number, number] = [0, Math.min(limit, x.shape[0]!)];
  return { ...data, train: { x: x.slice(part), y: y.slice(part) } };
}

/**
 * A progress function for the dataset loader: one moving line on a terminal, few lines elsewhere.
 */
function showLoading(): (progress: datasets.DataProgress) => void {
  let shown = 0;
  let message = '';
  return (progress) => {
    const { done, total, unit } = progress;
    const now = performance.now();
    const fresh = progress.message !== message;
    const terminal = process.stderr.isTTY;
    const finished = total > 0 && done >= total;
    if (!fresh && !finished && now - shown < (terminal ? 100 : 5000)) return;
    shown = now;
    message = progress.message;
    const share = total > 0 ? ` ${Math.floor((100 * done) / total)}%` : '';
    const amount = unit === 'bytes' ? ` ${(done / 1e6).toFixed(1)} MB` : '';
    const line = `${message}${share}${amount}`;
    const end = finished || progress.stage === 'fallback' ? '\n' : '';
    process.stderr.write(terminal ? `\r\x1b[2K${line}${end}` : `${line}\n`);
  };
}
