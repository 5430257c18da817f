/** Weights from files into models, with a report of what did not match. */

import { isFloat } from '../backends/dtype.js';
import { FileError } from '../errors.js';
import { readSafetensors } from '../io/safetensors.js';
import type { Safetensors } from '../io/safetensors.js';
import type { Weight } from '../layers/weight.js';
import { checkOptionNames } from '../names.js';
import { cast } from '../ops/cast.js';
import { sameShape, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import { readRecord } from './save.js';
import { namedWeights } from './weight-names.js';

export interface LoadWeightsOptions {
  /**
   * Match weights by name: what only the file or only the model has is left alone. Default false:
   * in order, and every weight must match. (Files of other programs have no order: every weight
   * must be found by name.)
   */
  readonly byName?: boolean;
  /** Leave weights alone whose shape differs, or that are missing, instead of throwing. */
  readonly skipMismatch?: boolean;
}

/** A weight that is in file and model, but not alike. */
export interface Mismatch {
  /** Its name in the model. */
  readonly name: string;
  /** Its name in the file. */
  readonly fileName: string;
  /** What the model has, as `float32 [100, 10]`. */
  readonly expected: string;
  readonly found: string;
}

/** What loading weights did. Names of weights are paths such as `dense_1/kernel`. */
export interface LoadReport {
  /** Weights of the model that were set. */
  readonly loaded: readonly string[];
  /** Weights of the model that the file does not have. */
  readonly missing: readonly string[];
  /** Weights of the file that the model does not have. */
  readonly unexpected: readonly string[];
  readonly mismatched: readonly Mismatch[];
}

/** Loads weights; see Model.loadWeights. */
export async function loadModelWeights(
  model: Model,
  path: string,
  options: LoadWeightsOptions,
): Promise<LoadReport> {
  checkOptionNames('loadWeights', options, ['byName', 'skipMismatch']);
  const file = await readSafetensors(path);
  try {
    return assignWeights(model, weightsOf(file), options);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(`cannot load ${path} into ${model.name}: ${error.message}`);
  }
}

/** Weights of a file in the order of the model they were saved from. */
export interface FileWeights {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Whether the order means anything. */
  readonly ordered: boolean;
}

/** The weights among a file's tensors. */
export function weightsOf({ tensors, metadata }: Safetensors): FileWeights {
  const record = readRecord(metadata);
  if (!record) return { tensors, ordered: false };
  const named = record.weights.map((name): [string, Tensor] => {
    const tensor = tensors.get(name);
    if (!tensor) throw new FileError(`it names the weight ${name}, but does not hold it`);
    return [name, tensor];
  });
  return { tensors: new Map(named), ordered: true };
}

/** Sets a model's weights. Throws FileError, having set none, unless options let it pass. */
export function assignWeights(
  model: Model,
  { tensors, ordered }: FileWeights,
  options: LoadWeightsOptions,
): LoadReport {
  const weights = namedWeights(model);
  const byName = (options.byName ?? false) || !ordered;
  const pairs = byName ? pairsByName(weights, tensors) : pairsInOrder(weights, tensors);
  const matching = pairs.filter(({ weight, tensor }) => fits(weight, tensor));
  const paired = new Set(pairs.map((pair) => pair.name));
  const taken = new Set(pairs.map((pair) => pair.fileName));
  const report: LoadReport = {
    loaded: matching.map(({ name }) => name),
    missing: [...weights.keys()].filter((name) => !paired.has(name)),
    unexpected: [...tensors.keys()].filter((name) => !taken.has(name)),
    mismatched: pairs
      .filter((pair) => !matching.includes(pair))
      .map(({ name, fileName, weight, tensor }) => ({
        name,
        fileName,
        expected: show(weight.value),
        found: show(tensor),
      })),
  };
  const where = byName ? '' : parting(weights, tensors);
  if (!options.skipMismatch) refuse(report, !options.byName, where);
  for (const { weight, tensor } of matching) {
    weight.value.assign(cast(tensor, weight.value.dtype));
  }
  return report;
}

interface Pair {
  readonly name: string;
  readonly fileName: string;
  readonly weight: Weight;
  readonly tensor: Tensor;
}

function pairsByName(
  weights: ReadonlyMap<string, Weight>,
  tensors: ReadonlyMap<string, Tensor>,
): Pair[] {
  return [...weights].flatMap(([name, weight]) => {
    const tensor = tensors.get(name);
    return tensor ? [{ name, fileName: name, weight, tensor }] : [];
  });
}

function pairsInOrder(
  weights: ReadonlyMap<string, Weight>,
  tensors: ReadonlyMap<string, Tensor>,
): Pair[] {
  const list = [...tensors];
  return [...weights].slice(0, list.length).map(([name, weight], i) => {
    const [fileName, tensor] = list[i]!;
    return { name, fileName, weight, tensor };
  });
}

/** Float dtypes may differ: the values are converted. */
function fits({ value }: Weight, tensor: Tensor): boolean {
  const sameKind = value.dtype === tensor.dtype || (isFloat(value.dtype) && isFloat(tensor.dtype));
  return sameKind && sameShape(value.shape, tensor.shape);
}

/** A layer as its weights show it. */
interface Outline {
  readonly name: string;
  /** `kernel [4, 3], bias [3]` */
  weights: string;
}

/** The layers of weights that stand in order. */
function outlines(weights: Iterable<readonly [name: string, value: Tensor]>): Outline[] {
  const found: Outline[] = [];
  for (const [path, { shape }] of weights) {
    const end = path.lastIndexOf('/');
    const [name, weight] = [path.slice(0, end), `${path.slice(end + 1)} ${showShape(shape)}`];
    const last = found.at(-1);
    if (last?.name === name) last.weights += `, ${weight}`;
    else found.push({ name, weights: weight });
  }
  return found;
}

/** The first layer in which file and model differ, in words; empty where none does. */
function parting(
  weights: ReadonlyMap<string, Weight>,
  tensors: ReadonlyMap<string, Tensor>,
): string {
  const ours = outlines([...weights].map(([name, { value }]) => [name, value] as const));
  const theirs = outlines(tensors);
  const all = Math.max(ours.length, theirs.length);
  const alike = Array.from({ length: all }, (_, i) => ours[i]?.weights === theirs[i]?.weights);
  const first = alike.indexOf(false);
  if (first < 0) return '';
  const say = (layer: Outline | undefined): string =>
    layer ? `${layer.name} (${layer.weights})` : 'none';
  return (
    `of the layers with weights, number ${first + 1} is ${say(ours[first])} in the model and ` +
    `${say(theirs[first])} in the file; the model has ${ours.length}, the file ${theirs.length}. ` +
    'Weight by weight: '
  );
}

/** Throws when there is anything in a report that must not be. */
function refuse(report: LoadReport, complete: boolean, where: string): void {
  const { loaded, missing, unexpected, mismatched } = report;
  const incomplete = complete && missing.length + unexpected.length > 0;
  const nothing = loaded.length === 0 && missing.length > 0;
  if (mismatched.length === 0 && !incomplete && !nothing) return;
  const advice = complete
    ? 'Use byName to load the weights whose names match, skipMismatch to leave out the others'
    : 'Use skipMismatch to leave them out';
  const words = where + difference(report);
  throw new FileError(`its weights are of another architecture: ${words}. ${advice}`);
}

/** The first differences, in words. */
function difference({ missing, unexpected, mismatched }: LoadReport): string {
  const all = [
    ...mismatched.map(({ name, fileName, expected, found }) => {
      const source = fileName === name ? '' : ` (${fileName})`;
      return `${name} is ${expected} in the model and ${found} in the file${source}`;
    }),
    ...missing.map((name) => `${name} is not in the file`),
    ...unexpected.map((name) => `${name} is not in the model`),
  ];
  const most = 8;
  const rest = all.length > most ? `; and ${all.length - most} more differences` : '';
  return all.slice(0, most).join('; ') + rest;
}

const show = ({ dtype, shape }: Tensor): string => `${dtype} ${showShape(shape)}`;
