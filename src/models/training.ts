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
import * as losses from '../losses/index.js';
import * as optimizers from '../optimizers/index.js';
import * as regularizers from '../regularizers.js';
import { defaultGenerator } from '../tensor/random.js';
import { canRecord, Recording } from '../tensor/recording.js';
import type { Recorder } from '../tensor/recording.js';
import { Scope } from '../tensor/storage.js';
import type { Storage } from '../tensor/storage.js';
import type { Batch, TensorBatches } from './batches.js';
import type { Compiled } from './compile.js';
import { canNote } from './journal.js';
import { Ledger } from './ledger.js';
import { differentiate, learn, resultOf, trainStep } from './step.js';
import type { Learned, LossObserver, StepResult } from './step.js';

/** Steps made before one is recorded. */
const warmUp = 2;

const parts = [layers, losses, optimizers, regularizers, constraints];
let builtIn: ReadonlySet<unknown> | undefined;
function isBuiltIn(part: object | null): boolean {
  builtIn ??= new Set<unknown>(parts.flatMap((each) => Object.values<unknown>({ ...each })));
  return part === null || builtIn.has(part.constructor);
}

/** A recorded step: its results lie in `learned`, and change with every replay. */
interface Recorded {
  /** The step; where the loss is observed, as far as the gradients, and the update. */
  readonly recordings: readonly Recording[];
  readonly learned: Learned;
  /** What it changes of the model. */
  readonly changing: readonly Storage[];
  /** The other weights, as they were: what layers derived from them was not recorded. */
  readonly constant: readonly Version[];
}

/** A version of a weight's values. */
interface Version {
  readonly storage: Storage;
  readonly version: number;
}

const versionsOf = (model: Layer): Version[] =>
  model.weights.map(({ value: { storage } }) => ({ storage, version: storage.version }));
const holds = ({ storage, version }: Version): boolean => storage.version === version;

/** The steps of one run of training. */
export class Training {
  readonly #model: Layer;
  readonly #compiled: Compiled;
  readonly #batches: TensorBatches | null;
  readonly #count: (result: StepResult) => void;
  readonly #observe: LossObserver | null;
  /** Where steps are noted on a device that computes apart from the host. */
  #ledger: Ledger | null = null;
  #recorded: Recorded | null = null;
  /** What the steps counted had in common; see {@link #kind}. */
  #of = '';
  #alike = 0;

  /**
   * @param batches the batches of {@link step}; null when there are only others
   * @param count is told what every step found, in order; see ledger.ts
   * @param observe is given the loss of every step before its update; null on devices that compute
   * apart from the host, which would have to be waited for
   */
  constructor(
    model: Layer,
    compiled: Compiled,
    batches: TensorBatches | null,
    count: (result: StepResult) => void,
    observe: LossObserver | null = null,
  ) {
    this.#model = model;
    this.#compiled = compiled;
    this.#batches = batches;
    this.#count = count;
    this.#observe = observe;
  }

  /** Trains on batch number `step` of the tensors. */
  step(step: number): void {
    const batches = this.#batches!;
    const { backend } = batches.all.inputs[0]!;
    this.#openLedger(backend);
    const kind = this.#kind(batches, step);
    // A last batch is followed by others of the old kind.
    if (kind === null) {
      this.#anew(() => batches.batch(step));
      return;
    }
    if (kind !== this.#of) {
      this.#forget();
      this.#of = kind;
      this.#alike = 0;
    }
    if (this.#recorded && !this.#recorded.constant.every(holds)) {
      this.#forget();
      this.#alike = 0;
    }
    if (this.#recorded) {
      this.#again(this.#recorded, batches, step);
      return;
    }
    const isTurn = ++this.#alike === warmUp + 1;
    if (isTurn && canRecord(backend) && this.#isSteady(backend)) {
      this.#record(batches, step, backend);
      return;
    }
    this.#anew(() => batches.batch(step));
  }

  /** Trains on a batch from elsewhere. */
  stepOn(batch: Batch): void {
    this.#openLedger(batch.inputs[0]!.backend);
    this.#anew(() => batch);
  }

  /** Whether {@link settle} should be called before the next step. */
  get isDue(): boolean {
    return this.#ledger?.isDue ?? false;
  }

  /** Counts all steps made, without blocking the event loop. */
  async settle(): Promise<void> {
    await this.#ledger?.settle();
  }

  /** What `make` gives once the last step is counted. */
  logs(make: () => Record<string, number>): Record<string, number> {
    return this.#ledger ? this.#ledger.logs(make) : make();
  }

  /** Gives the memory back that a recording and results hold. */
  end(): void {
    this.#forget();
    this.#ledger?.end();
    this.#ledger = null;
  }

  #forget(): void {
    for (const recording of this.#recorded?.recordings ?? []) recording.end();
    this.#recorded = null;
  }

  #openLedger(backend: Backend): void {
    if (this.#ledger?.backend === backend) return;
    this.#ledger?.flush();
    this.#ledger?.end();
    this.#ledger = canNote(backend) ? new Ledger(backend, this.#compiled, this.#count) : null;
  }

  /** What must be equal for steps to be alike; null for those not worth recording. */
  #kind(batches: TensorBatches, step: number): string | null {
    if (!batches.isShuffled || batches.sizeOf(step) < batches.batchSize) return null;
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

  #anew(batch: () => Batch): void {
    const ledger = this.#ledger;
    const now = (): StepResult => trainStep(this.#model, this.#compiled, batch, this.#observe);
    if (!ledger) {
      this.#count(now());
      return;
    }
    const undo = this.#wayBack();
    const scope = new Scope();
    try {
      const learned = ledger.deferring(() => learn(this.#model, this.#compiled, batch));
      ledger.note(learned);
      ledger.enter(learned, undo, now);
    } finally {
      scope.end();
    }
  }

  #record(batches: TensorBatches, step: number, backend: Backend & Recorder): void {
    const ledger = this.#ledger;
    const undo = this.#wayBack();
    batches.select(step);
    const parts: Omit<ReturnType<typeof Recording.of>, 'result'>[] = [];
    const record = <T>(body: () => T): T => {
      const { result, ...part } = Recording.of(backend, body);
      parts.push(part);
      return result;
    };
    const before = versionsOf(this.#model);
    const learned = ledger
      ? ledger.deferring(() => record(() => this.#noted(batches, ledger)))
      : this.#recordedBy(record, batches);
    const recordings = parts.flatMap(({ recording }) => recording ?? []);
    const isWhole = recordings.length === parts.length;
    if (isWhole) {
      const changing = before.filter((each) => !holds(each)).map(({ storage }) => storage);
      this.#recorded = { recordings, learned, changing, constant: before.filter(holds) };
    }
    if (ledger) ledger.enter(learned, undo, this.#redo(batches, step));
    else this.#count(this.#read(learned));
    if (isWhole) return;
    for (const recording of recordings) recording.end();
    for (const { scope } of parts) scope.end();
  }

  #noted(batches: TensorBatches, ledger: Ledger): Learned {
    const learned = learn(this.#model, this.#compiled, () => batches.selected());
    ledger.note(learned);
    return learned;
  }

  /** Makes a step by recording it: in one part, or in two around the look at the loss. */
  #recordedBy(record: <T>(body: () => T) => T, batches: TensorBatches): Learned {
    const batch = (): Batch => batches.selected();
    if (!this.#observe) return record(() => learn(this.#model, this.#compiled, batch));
    const { learned, update } = record(() => differentiate(this.#model, this.#compiled, batch));
    this.#observe(learned.loss);
    record(update);
    return learned;
  }

  /** Whether no kernel refused anything. */
  #replayed({ recordings, learned }: Recorded): boolean {
    const [first, update] = recordings as [Recording, Recording?];
    if (!first.replay()) return false;
    if (!update) return true;
    this.#observe?.(learned.loss);
    return update.replay();
  }

  #again(recorded: Recorded, batches: TensorBatches, step: number): void {
    const { learned, changing } = recorded;
    const { optimizer } = this.#compiled;
    const ledger = this.#ledger;
    batches.select(step);
    const undo = this.#wayBack();
    ledger?.prepare(learned);
    optimizer.prepareReplay();
    const replay = (): boolean => this.#replayed(recorded);
    const done = ledger ? ledger.deferring(replay) : replay();
    if (!done) {
      // Some index or label is wrong: the step made anew says which.
      undo();
      this.#anew(() => batches.batch(step));
      return;
    }
    optimizer.finishReplay();
    for (const storage of changing) storage.version++;
    if (ledger) ledger.enter(learned, undo, this.#redo(batches, step));
    else this.#count(this.#read(learned));
  }

  #redo(batches: TensorBatches, step: number): () => StepResult {
    return () => trainStep(this.#model, this.#compiled, () => batches.batch(step));
  }

  /** Undoes what the next step does on the host, if it changes no tensors. */
  #wayBack(): () => void {
    const numbers = this.#compiled.optimizer.numbersOfNow();
    const place = defaultGenerator.state();
    return () => {
      numbers();
      defaultGenerator.restore(place);
    };
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
