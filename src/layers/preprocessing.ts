/** Layers that bring data to a scale: by given numbers, or by statistics of the data. */

import { noGrad } from '../autograd/tape.js';
import { isFloat } from '../backends/dtype.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { broadcastTo } from '../ops/broadcast.js';
import { add, affine, maximum, mul, reciprocal, sqrt } from '../ops/elementwise.js';
import { standardize } from '../ops/standardize.js';
import { mean, variance } from '../ops/statistics.js';
import { asTensor, full } from '../tensor/create.js';
import type { TensorLike } from '../tensor/create.js';
import { checkAxes, sameShape, showShape, sizeOf } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import type { Storage } from '../tensor/storage.js';
import { fromArray, Tensor } from '../tensor/tensor.js';
import { checkEachNumber, checkFlag, checkNumber, notNegative, whole } from '../values.js';
import { Layer } from './layer.js';
import type { LayerOptions } from './layer.js';
import type { Weight } from './weight.js';

export interface RescalingOptions extends LayerOptions {
  /** Added after scaling. Default 0. */
  readonly offset?: number;
}

/** x · scale + offset: `new Rescaling(1 / 255)` brings pixels to [0, 1]. */
export class Rescaling extends Layer {
  static override readonly positional = ['scale'];
  readonly scale: number;
  readonly offset: number;
  /** What the last input was computed with. */
  #known: readonly [center: Tensor, scale: Tensor] | null = null;

  constructor(scale: number, options: RescalingOptions = {}) {
    super(options);
    this.scale = checkNumber(scale, 'Rescaling: scale');
    this.offset = checkNumber(options.offset ?? 0, 'Rescaling: offset');
  }

  override call(x: Tensor): Tensor {
    // As a difference and a product, which can be taken as data is loaded.
    const center = -this.offset / this.scale;
    if (!Number.isFinite(Math.fround(center))) return affine(x, this.scale, this.offset);
    const [from, by] = this.#constants(x, center);
    return standardize(x, from, by);
  }

  #constants(x: Tensor, center: number): readonly [center: Tensor, scale: Tensor] {
    const dtype = isFloat(x.dtype) ? x.dtype : this.dtype;
    const [known] = this.#known ?? [];
    if (known?.dtype !== dtype || known.backend !== x.backend) {
      const constant = (value: number): Tensor =>
        Scope.release(full([1], value, { dtype, device: x.device }));
      this.#known = [constant(center), constant(this.scale)];
    }
    return this.#known!;
  }

  override config(): Record<string, unknown> {
    return { ...super.config(), scale: this.scale, offset: this.offset };
  }
}

export interface NormalizationOptions extends LayerOptions {
  /**
   * Axes that keep statistics of their own, the batch being axis 0; null for one mean and variance
   * of everything. Default the last: one per feature.
   */
  readonly axis?: number | readonly number[] | null;
  /** Known statistics, one number per feature, in place of {@link Normalization.adapt}. */
  readonly mean?: number | readonly number[];
  readonly variance?: number | readonly number[];
  /** Undo a normalization instead: x · √variance + mean. Default false. */
  readonly invert?: boolean;
}

/** Most samples, and about most values, taken at a time by {@link Normalization.adapt}. */
const chunk = { samples: 1024, values: 2 ** 17 } as const;
/** The smallest standard deviation divided by: constant features stay finite. */
const smallest = 1e-7;

/**
 * Brings each feature to mean 0 and variance 1 by statistics that {@link adapt} takes from data, or
 * that were given. They are weights, which training does not change and files keep. Without any it
 * leaves its input as it is, and says so once on standard error.
 */
export class Normalization extends Layer {
  readonly axis: number | readonly number[] | null;
  readonly invert: boolean;
  readonly #known: readonly [mean: readonly number[], variance: readonly number[]] | null;
  #axes: readonly number[] = [];
  #mean!: Weight;
  #variance!: Weight;
  /** Whether it is known that there are statistics, or that there are none was said. */
  #settled = false;
  #derived: Derived | null = null;

  constructor(options: NormalizationOptions = {}) {
    super(options);
    this.axis = options.axis === undefined ? -1 : options.axis;
    checkEachNumber(this.axis ?? [], 'Normalization: axis', whole);
    this.invert = checkFlag(options.invert ?? false, 'Normalization: invert');
    if ((options.mean === undefined) !== (options.variance === undefined)) {
      throw new ValueError('Normalization: give both mean and variance, or neither');
    }
    this.#known =
      options.mean === undefined ? null : [listOf(options.mean), listOf(options.variance!)];
    checkEachNumber(this.#known?.[0] ?? [], 'Normalization: mean');
    checkEachNumber(this.#known?.[1] ?? [], 'Normalization: variance', notNegative);
  }

  override build(inputShape: Shape): void {
    const rank = inputShape.length + 1;
    this.#axes = this.axis === null ? [] : checkAxes(this.axis, rank, `layer ${this.name}: axis`);
    if (this.#axes[0] === 0) {
      throw new ShapeError(
        `layer ${this.name}: axis 0 is the batch; statistics are kept along axes of the samples, ` +
          `which have shape ${showShape(inputShape)}`,
      );
    }
    // Size 1 along the other axes, so that statistics broadcast against samples.
    const shape = inputShape.map((n, i) => (this.#axes.includes(i + 1) ? n : 1));
    const fixed = { trainable: false } as const;
    this.#mean = this.addWeight('mean', shape, { ...fixed, initializer: 'zeros' });
    this.#variance = this.addWeight('variance', shape, { ...fixed, initializer: 'ones' });
    if (this.#known) this.#set(...this.#known);
  }

  override call(x: Tensor): Tensor {
    if (!this.#settled) this.#warnWithoutStatistics();
    const { mean, factor } = this.#constants(x.shape.slice(1));
    return this.invert ? add(mul(x, factor), mean) : standardize(x, mean, factor);
  }

  /** What samples of a shape are computed with: taken anew only when the statistics changed. */
  #constants(sample: Shape): Derived {
    const statistics = [this.#mean.value, this.#variance.value].map(({ storage }) => storage);
    const derived = this.#derived;
    const holds =
      derived !== null &&
      sameShape(derived.sample, sample) &&
      statistics.every((each, i) => each === derived.of[i] && each.version === derived.versions[i]);
    if (holds) return derived;
    return (this.#derived = noGrad(() => {
      const deviation = maximum(sqrt(this.#variance.value), smallest);
      const factor = this.invert ? deviation : reciprocal(deviation);
      // One number for every value of a sample, or one for all.
      const spread = (each: Tensor): Tensor =>
        each.size === 1 ? each : Scope.release(broadcastTo(each, sample));
      return {
        sample,
        of: statistics,
        versions: statistics.map(({ version }) => version),
        mean: spread(this.#mean.value),
        factor: spread(Scope.release(factor)),
      };
    }));
  }

  /**
   * Takes the statistics from data [samples, ...], or from several such in turn; earlier ones are
   * forgotten. Not for layers inside a model that is being trained at the time.
   */
  adapt(data: TensorLike | Iterable<TensorLike>): this {
    const parts = isData(data) ? [data] : data;
    let total: Total | null = null;
    for (const part of parts) {
      const x = asTensor(part);
      if (x.rank === 0) throw new ShapeError(`${this.name}.adapt: data needs an axis of samples`);
      this.ensureBuilt(x.shape.slice(1));
      const fitting = Math.floor(chunk.values / Math.max(1, sizeOf(x.shape.slice(1))));
      const rows = Math.min(Math.max(fitting, 1), chunk.samples);
      for (let from = 0; from < x.shape[0]!; from += rows) {
        const found = this.#statistics(x, from, Math.min(from + rows, x.shape[0]!));
        total ??= nothing(found.mean.length);
        include(total, found);
      }
    }
    if (!total) throw new ValueError(`${this.name}.adapt: the data has no samples`);
    this.#set(total.mean, total.variance);
    this.#settled = true;
    return this;
  }

  /** Says so, once, when the statistics are the ones that change nothing: none were taken. */
  #warnWithoutStatistics(): void {
    this.#settled = true;
    const isAll = (weight: Weight, wanted: number): boolean =>
      weight.value.dataSync().every((value) => value === wanted);
    if (this.#known || !isAll(this.#mean, 0) || !isAll(this.#variance, 1)) return;
    process.stderr.write(
      `layer ${this.name}: Normalization has no statistics and leaves its input as it is; call ` +
        'adapt(data) before training, or give mean and variance\n',
    );
  }

  /** Mean and variance of samples [from, to). */
  #statistics(x: Tensor, from: number, to: number): Statistics {
    const scope = new Scope();
    try {
      return noGrad(() => {
        const shape = [to - from, ...x.shape.slice(1)];
        const width = sizeOf(x.shape.slice(1));
        const rows = new Tensor(x.storage, shape, x.dtype, x.offset + from * width);
        const values = cast(rows, this.dtype);
        const over = shape.map((_, axis) => axis).filter((axis) => !this.#axes.includes(axis));
        const average = mean(values, over).dataSync();
        const count = values.size / Math.max(1, average.length);
        return { count, mean: average, variance: variance(values, over).dataSync() };
      });
    } finally {
      scope.end();
    }
  }

  #set(average: ArrayLike<number>, spread: ArrayLike<number>): void {
    for (const [what, values, weight] of [
      ['mean', average, this.#mean],
      ['variance', spread, this.#variance],
    ] as const) {
      const { shape, size, dtype, backend } = weight.value;
      if (values.length !== size && values.length !== 1) {
        throw new ShapeError(
          `layer ${this.name}: ${what} has ${values.length} values for ${size} features`,
        );
      }
      const list = Array.from({ length: size }, (_, i) => values[values.length === 1 ? 0 : i]!);
      const array = dtype === 'float64' ? Float64Array.from(list) : Float32Array.from(list);
      weight.value.assign(fromArray(array, shape, dtype, backend));
    }
  }

  override config(): Record<string, unknown> {
    const known = this.#known ? { mean: this.#known[0], variance: this.#known[1] } : {};
    return { ...super.config(), axis: this.axis, invert: this.invert, ...known };
  }
}

/** What {@link Normalization} computes with. */
interface Derived {
  /** Shape of the samples that it fits. */
  readonly sample: Shape;
  /** Where the statistics lie, and as of when. */
  readonly of: readonly Storage[];
  readonly versions: readonly number[];
  readonly mean: Tensor;
  /** 1 / deviation; to undo a normalization, the deviation. */
  readonly factor: Tensor;
}

interface Statistics {
  readonly count: number;
  readonly mean: ArrayLike<number>;
  readonly variance: ArrayLike<number>;
}

/** Statistics of all parts so far. */
interface Total {
  count: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Statistics of no parts. */
const nothing = (features: number): Total => ({
  count: 0,
  mean: new Float64Array(features),
  variance: new Float64Array(features),
});

/** Takes one more part in (Chan, Golub, LeVeque 1979). */
function include(a: Total, b: Statistics): void {
  a.count += b.count;
  const share = b.count / a.count;
  const cross = share * (1 - share);
  for (let i = 0; i < a.mean.length; i++) {
    const distance = b.mean[i]! - a.mean[i]!;
    a.mean[i]! += distance * share;
    a.variance[i] = a.variance[i]! * (1 - share) + b.variance[i]! * share + distance ** 2 * cross;
  }
}

const listOf = (values: number | readonly number[]): readonly number[] =>
  Array.isArray(values) ? [...(values as readonly number[])] : [values as number];

function isData(data: TensorLike | Iterable<TensorLike>): data is TensorLike {
  if (data instanceof Tensor || ArrayBuffer.isView(data) || Array.isArray(data)) return true;
  if (typeof data === 'object' && Symbol.iterator in data) return false;
  throw new DTypeError(`adapt: expected a tensor, arrays, or an iterable of them`);
}
