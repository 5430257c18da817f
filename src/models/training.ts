/**
 * Training steps in a row. Once a step has been made a few times it is recorded (see
 * tensor/recording.ts), and steps like it are made by running the recording again: the same kernels
 * on the same numbers, in one native call.
 *
 * Steps that may differ from each other are not recorded, but made anew each time: those with parts
 * that are not the library's own, of which nothing is known; those with optimizers that decide by
 * norms; batches that are not shuffled rows of tensors; the smaller last batch of an epoch.
 */

import * as activations from '../activations.js';
import type { Backend } from '../backends/backend.js';
import { precision } from '../backends/registry.js';
import { noGrad } from '../autograd/tape.js';
import * as constraints from '../constraints.js';
import * as layers from '../layers/index.js';
import { structureRevision } from '../layers/layer.js';
import type { Layer } from '../layers/layer.js';
import type { Weight } from '../layers/weight.js';
import * as losses from '../losses/index.js';
import * as optimizers from '../optimizers/index.js';
import * as regularizers from '../regularizers.js';
import { canRecord, Recording } from '../tensor/recording.js';
import type { Recorder } from '../tensor/recording.js';
import { Scope } from '../tensor/storage.js';
import type { TensorBatches } from './batches.js';
import type { Compiled } from './compile.js';
import { learn, resultOf, trainStep } from './step.js';
import type { Learned, StepResult } from './step.js';

/** Steps made before one is recorded. */
const warmUp = 2;

const parts = [layers, losses, optimizers, regularizers, constraints];
const builtIn = new Set<unknown>(parts.flatMap((each) => Object.values<unknown>({ ...each })));
const isBuiltIn = (part: object | null): boolean => part === null || builtIn.has(part.constructor);

/** A recorded step: its results lie in `learned`, and change with every replay. */
interface Recorded {
  readonly recording: Recording;
  readonly learned: Learned;
  /** All of the model's: looking for them anew costs as much as a small kernel. */
  readonly weights: readonly Weight[];
}

/** The steps of one run of training on batches of tensors. */
export class Training {
  readonly #model: Layer;
  readonly #compiled: Compiled;
  readonly #batches: TensorBatches;
  #recorded: Recorded | null = null;
  /** What the steps counted had in common; see {@link #kind}. */
  #of = '';
  #alike = 0;

  constructor(model: Layer, compiled: Compiled, batches: TensorBatches) {
    this.#model = model;
    this.#compiled = compiled;
    this.#batches = batches;
  }

  /** Trains on batch number `step`. */
  step(step: number): StepResult {
    const kind = this.#kind(step);
    // A last batch is followed by others of the old kind.
    if (kind === null) return this.#anew(step);
    if (kind !== this.#of) {
      this.end();
      this.#of = kind;
      this.#alike = 0;
    }
    if (this.#recorded) return this.#again(this.#recorded, step);
    const { backend } = this.#batches.all.inputs[0]!;
    const isTurn = ++this.#alike === warmUp + 1;
    if (isTurn && canRecord(backend) && this.#isSteady(backend)) return this.#record(step, backend);
    return this.#anew(step);
  }

  /** Gives the memory back that a recording holds. */
  end(): void {
    this.#recorded?.recording.end();
    this.#recorded = null;
  }

  /** What must be equal for steps to be alike; null for those not worth recording. */
  #kind(step: number): string | null {
    if (!this.#batches.isShuffled || this.#batches.sizeOf(step) < this.#batches.batchSize) {
      return null;
    }
    return `${structureRevision()} ${this.#compiled.optimizer.revision} ${precision()}`;
  }

  /** Whether nothing but values differs between steps. */
  #isSteady(backend: Backend): boolean {
    const { optimizer, goals } = this.#compiled;
    return (
      this.#model.weights.every(
        ({ regularizer, constraint, value }) =>
          value.backend === backend && isBuiltIn(regularizer) && isBuiltIn(constraint),
      ) &&
      isBuiltIn(optimizer) &&
      optimizer.isSteady &&
      goals.every(({ loss }) => isBuiltIn(loss)) &&
      this.#model.trainableWeights.length > 0 &&
      isBuiltInLayer(this.#model)
    );
  }

  #anew(step: number): StepResult {
    return trainStep(this.#model, this.#compiled, () => this.#batches.batch(step));
  }

  #record(step: number, backend: Backend & Recorder): StepResult {
    this.#batches.select(step);
    const { result, recording, scope } = Recording.of(backend, () =>
      learn(this.#model, this.#compiled, () => this.#batches.selected()),
    );
    if (recording) this.#recorded = { recording, learned: result, weights: this.#model.weights };
    const found = this.#read(result);
    if (!recording) scope.end();
    return found;
  }

  #again({ recording, learned, weights }: Recorded, step: number): StepResult {
    const { optimizer } = this.#compiled;
    this.#batches.select(step);
    const undo = optimizer.prepareReplay();
    if (!recording.replay()) {
      // Some index or label is wrong: the step made anew says which.
      undo();
      return this.#anew(step);
    }
    optimizer.finishReplay();
    for (const { value } of weights) value.storage.version++;
    return this.#read(learned);
  }

  #read(learned: Learned): StepResult {
    const scope = new Scope();
    try {
      return noGrad(() => resultOf(this.#compiled, learned));
    } finally {
      scope.end();
    }
  }
}

/** Whether a layer and all inside it are the library's, functions they were given included. */
function isBuiltInLayer(layer: Layer): boolean {
  const { activation } = layer as { activation?: unknown };
  if (activation instanceof activations.Activation && !activation.isBuiltIn) return false;
  const isModel = Object.hasOwn(layer.constructor, 'isPlainContainer'); // not inherited
  return (
    (isModel || isBuiltIn(layer)) &&
    isBuiltIn(layer.activityRegularizer) &&
    layer.sublayers.every(isBuiltInLayer)
  );
}
