/**
 * What all optimizers share: the learning rate, clipping, weight decay, groups, state. The updates
 * themselves are rows of src/backends/formulas.ts, run for all parameters in one call.
 */

import { hyperNames, updateNames } from '../backends/kernels.js';
import { updates } from '../backends/formulas.js';
import type { Update, UpdateName } from '../backends/formulas.js';
import { ValueError } from '../errors.js';
import { checkPart, rememberGiven } from '../names.js';
import type { Configurable } from '../names.js';
import { get as getSchedule, serialize as serializeSchedule } from '../schedules.js';
import type { Schedule } from '../schedules.js';
import { full } from '../tensor/create.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkNumber, checkText, notNegative } from '../values.js';
import { Accumulation } from './accumulation.js';
import { Averages } from './averages.js';
import { checkGradients } from './batches.js';
import type { Batch } from './batches.js';
import { Groups } from './groups.js';
import { clipScale, Norms } from './norms.js';
import { checkOptions, checkRate } from './options.js';
import type { GroupSettings, OptimizerOptions } from './options.js';
import { accumulatedKey, averageKey, placesOf } from './state.js';
import type { OptimizerState } from './state.js';

/** Options that hold for as long as the optimizer does. */
const fixed = [
  'clipNorm',
  'clipValue',
  'globalClipNorm',
  'useEma',
  'emaMomentum',
  'emaOverwriteFrequency',
  'gradientAccumulationSteps',
] as const;

export abstract class Optimizer implements Configurable {
  readonly name: string;
  readonly clipNorm: number | null;
  readonly clipValue: number | null;
  readonly globalClipNorm: number | null;
  readonly useEma: boolean;
  readonly emaMomentum: number;
  readonly emaOverwriteFrequency: number | null;
  readonly gradientAccumulationSteps: number | null;
  #learningRate: number | Schedule;
  #weightDecay: number;
  #iterations = 0;

  readonly #kernel: number;
  readonly #variables: readonly string[];
  readonly #slots = new Map<Tensor, readonly Tensor[]>();
  readonly #groups: Groups;
  /** Those of the last step. */
  #batches: readonly Batch[] = [];
  #revision = 0;
  readonly #norms = new Norms();
  readonly #averages: Averages;
  /** Whether the options it was made with are known to be its own. */
  #checked = false;
  readonly #accumulation: Accumulation | null;

  /**
   * @param update the row of `updates` it runs
   * @param learningRate the class's default
   */
  constructor(update: UpdateName, learningRate: number, options: OptimizerOptions) {
    rememberGiven(this, options);
    const kind = this.constructor.name;
    this.name = checkText(options.name ?? kind.toLowerCase(), `${kind}: name`);
    checkOptions(this.name, options);
    this.#kernel = updateNames.indexOf(update);
    this.#variables = (updates[update] as Update).state;
    this.#groups = new Groups(this.name, hyperNames(update).length);
    this.#groups.spare(options.excludeFromWeightDecay ?? []);
    const rate = options.learningRate ?? learningRate;
    this.#learningRate = typeof rate === 'number' ? rate : getSchedule(rate);
    this.#weightDecay = options.weightDecay ?? 0;
    this.clipNorm = options.clipNorm ?? null;
    this.clipValue = options.clipValue ?? null;
    this.globalClipNorm = options.globalClipNorm ?? null;
    this.useEma = options.useEma ?? false;
    this.emaMomentum = options.emaMomentum ?? 0.99;
    this.emaOverwriteFrequency = options.emaOverwriteFrequency ?? null;
    this.#averages = new Averages(this.emaMomentum);
    const every = options.gradientAccumulationSteps ?? null;
    this.gradientAccumulationSteps = every;
    this.#accumulation = every === null ? null : new Accumulation(every);
    // JavaScript knows no `readonly`: parts made of these would not hear of another value.
    for (const option of fixed) Object.defineProperty(this, option, { writable: false });
  }

  // ---- what a subclass says ---------------------------------------------------------------------

  /** Writes the row's own hyper-parameters, from `hyper[3]` on; `step` counts from 1. */
  protected abstract fill(hyper: Float64Array, rate: number, step: number): void;

  /** What its constructor takes besides {@link OptimizerOptions}. */
  protected abstract ownConfig(): Record<string, unknown>;

  /** Called once per step before {@link fill}, which runs once per group. */
  protected advance?(step: number): void;

  /** First value of a state variable. Default 0. */
  protected initial?(variable: string): number;

  /** Numbers that run along with the steps, by name, and setting them. */
  protected numbers?: Record<string, number>;

  // ---- the learning rate ------------------------------------------------------------------------

  /** The rate of the next step. Setting it throws ValueError when it follows a schedule. */
  get learningRate(): number {
    const rate = this.#learningRate;
    return typeof rate === 'number' ? rate : rate.at(this.#steps);
  }

  set learningRate(rate: number) {
    if (typeof this.#learningRate !== 'number') {
      throw new ValueError(
        `${this.name}: the learning rate follows ${this.#learningRate.constructor.name}; make ` +
          'the optimizer with a number to be able to set it',
      );
    }
    checkRate(this.name, rate);
    this.#learningRate = rate;
  }

  /** The next step's, of parameters without one of their own; see {@link OptimizerOptions}. */
  get weightDecay(): number {
    return this.#weightDecay;
  }

  set weightDecay(decay: number) {
    this.#weightDecay = checkNumber(decay, `${this.name}: weightDecay`, notNegative);
  }

  /** Updates made: steps taken, unless gradients of several are accumulated. */
  get iterations(): number {
    return this.#iterations;
  }

  set iterations(count: number) {
    this.#iterations = checkNumber(count, `${this.name}: iterations`, { min: 0, whole: true });
  }

  /** Steps taken: what schedules count. */
  get #steps(): number {
    const { every = 1, pending = 0 } = this.#accumulation ?? {};
    return this.iterations * every + pending;
  }

  /** The schedule the rate follows, or null. */
  get schedule(): Schedule | null {
    return typeof this.#learningRate === 'number' ? null : this.#learningRate;
  }

  /**
   * Gives some parameters a learning rate or weight decay of their own; saved with the state.
   * Throws ValueError for settings outside their range.
   */
  group(parameters: readonly Tensor[], settings: GroupSettings): void {
    this.#groups.set(parameters, settings);
    this.#revision++;
  }

  /**
   * Spares weights the weight decay: those whose name (`dense_1/bias`) has one of these parts,
   * `['bias', 'gamma', 'beta']` say, which are regular expressions as in Keras; and parameters
   * given themselves. Adds to what was excluded before. Names are part of the config, parameters of
   * the state. Throws ValueError for anything else.
   */
  excludeFromWeightDecay(what: readonly (string | Tensor)[]): void {
    this.#groups.spare(what);
    this.#revision++;
  }

  // ---- a step -----------------------------------------------------------------------------------

  /**
   * One step: the parameters, in place, by their gradients (same order; null: left alone).
   * `names`, in the same order, are what {@link excludeFromWeightDecay} goes by; models give them.
   * Throws ShapeError when a gradient does not fit, GradientError when all are null.
   */
  apply(
    parameters: readonly Tensor[],
    gradients: readonly (Tensor | null)[],
    names: readonly string[] = [],
  ): void {
    if (!this.#checked) checkPart(this);
    this.#checked = true;
    checkGradients(this.name, parameters, gradients);
    this.#averages.show(parameters, false);
    const accumulation = this.#accumulation;
    if (!accumulation) this.#update(parameters, gradients, names);
    else if (accumulation.add(parameters, gradients)) {
      const means = parameters.map((parameter) => accumulation.get(parameter) ?? null);
      this.#update(parameters, means, names);
      accumulation.reset();
    }
  }

  #update(
    parameters: readonly Tensor[],
    gradients: readonly (Tensor | null)[],
    names: readonly string[],
  ): void {
    const batches = this.#gather(parameters, gradients, names);
    this.#batches = batches;
    this.#prepare(batches, this.#globalScale(batches));
    for (const batch of batches) {
      this.#run(batch);
      if (this.useEma) this.#averages.update(batch.tensors);
    }
    const step = ++this.iterations;
    const every = this.emaOverwriteFrequency;
    if (this.useEma && every !== null && step % every === 0) this.#averages.overwrite(parameters);
  }

  /** {@link apply} with the gradients that `backward()` left in `.grad`, which become null. */
  step(parameters: readonly Tensor[]): void {
    const given: unknown = parameters;
    if (!Array.isArray(given)) {
      throw new ValueError(`${this.name}.step: expected an array of parameters, step([w, b])`);
    }
    this.apply(
      parameters,
      parameters.map((parameter) => parameter.grad),
    );
    this.zeroGrad(parameters);
  }

  /** Forgets the gradients of earlier backward passes. */
  zeroGrad(parameters: readonly Tensor[]): void {
    for (const parameter of parameters) parameter.grad = null;
  }

  /** Writes the hyper-parameters of the next step, for every batch. */
  #prepare(batches: readonly Batch[], scale: number): void {
    const rate = this.learningRate;
    const step = this.iterations + 1;
    this.advance?.(step);
    for (const { hyper, settings } of batches) {
      const { rateMultiplier = 1, weightDecay = this.weightDecay } = settings;
      const own = settings.learningRate ?? rate * rateMultiplier;
      hyper[0] = scale;
      hyper[1] = this.clipValue ?? Infinity;
      hyper[2] = weightDecay * own;
      this.fill(hyper, own, step);
    }
  }

  // ---- recorded steps ---------------------------------------------------------------------------

  /** @internal The same number as before: a step uses the same memory in the same way as then. */
  get revision(): number {
    return this.#revision;
  }

  /** @internal Whether all steps make the same kernel calls, with other hyper-parameters only. */
  get isSteady(): boolean {
    const looksAtNorms = this.clipNorm !== null || this.globalClipNorm !== null;
    return !looksAtNorms && !this.useEma && this.#accumulation === null;
  }

  /**
   * @internal To be called before the kernels of the last {@link apply} are run again, and
   * {@link finishReplay} after it: what it does in JavaScript.
   */
  prepareReplay(): void {
    this.#prepare(this.#batches, 1);
  }

  /** @internal See {@link prepareReplay}. */
  finishReplay(): void {
    this.iterations++;
  }

  /** @internal The way back to the numbers of now, for steps that changed no tensors. */
  numbersOfNow(): () => void {
    const { iterations } = this;
    const numbers = { ...this.numbers };
    return () => {
      this.iterations = iterations;
      if (this.numbers) Object.assign(this.numbers, numbers);
    };
  }

  /** Sorts the parameters that have gradients into batches of equal settings. */
  #gather(
    parameters: readonly Tensor[],
    gradients: readonly (Tensor | null)[],
    names: readonly string[],
  ): Batch[] {
    const batches: Batch[] = [];
    for (let i = 0; i < parameters.length; i++) {
      const gradient = gradients[i];
      if (!gradient) continue;
      const parameter = parameters[i]!;
      const batch = this.#groups.batchOf(parameter, names[i]);
      if (!batches.includes(batch)) {
        batch.begin();
        batches.push(batch);
      }
      batch.add(parameter, gradient, this.#slotsOf(parameter));
    }
    for (const batch of batches) batch.seal(this.#variables.length);
    return batches;
  }

  #slotsOf(parameter: Tensor): readonly Tensor[] {
    let slots = this.#slots.get(parameter);
    if (!slots) {
      const { shape, dtype, device } = parameter;
      slots = this.#variables.map((variable) =>
        Scope.release(full(shape, this.initial?.(variable) ?? 0, { dtype, device })),
      );
      this.#slots.set(parameter, slots);
    }
    return slots;
  }

  #globalScale(batches: readonly Batch[]): number {
    if (this.globalClipNorm === null) return 1;
    let squares = 0;
    for (const batch of batches) {
      for (const each of this.#norms.squares(batch.gradientTensors)) squares += each;
    }
    return clipScale(Math.sqrt(squares), this.globalClipNorm);
  }

  #run(batch: Batch): void {
    const { tensors, parameters, gradients, states, hyper } = batch;
    const backend = tensors[0]!.backend;
    if (this.clipNorm === null) {
      backend.update(this.#kernel, parameters, gradients, states, hyper);
    } else {
      // Each parameter has a scale of its own, so each is a call of its own.
      const count = this.#variables.length;
      const squares = this.#norms.squares(batch.gradientTensors);
      for (let i = 0; i < parameters.length; i++) {
        hyper[0] = clipScale(Math.sqrt(squares[i]!), this.clipNorm);
        const own = states.slice(i * count, (i + 1) * count);
        backend.update(this.#kernel, [parameters[i]!], [gradients[i]!], own, hyper);
      }
    }
    for (const tensor of tensors) tensor.storage.version++;
  }

  // ---- averages ---------------------------------------------------------------------------------

  /**
   * Puts the moving averages (`useEma`) in place of the parameters, for good: the end of training,
   * which `fit` does itself. Without averages nothing happens.
   */
  overwriteWithAverages(parameters: readonly Tensor[]): void {
    this.#averages.overwrite(parameters);
  }

  /**
   * Puts the moving averages in place of the parameters for a while, to evaluate or save them, or
   * (false) the parameters back. The next step puts them back by itself.
   */
  showAverages(parameters: readonly Tensor[], shown: boolean): void {
    this.#averages.show(parameters, shown);
  }

  // ---- state ------------------------------------------------------------------------------------

  /** A copy of everything that runs along; its keys count in the order of `parameters`. */
  state(parameters: readonly Tensor[]): OptimizerState {
    const tensors: Record<string, Tensor> = {};
    parameters.forEach((parameter, i) => {
      this.#slots.get(parameter)?.forEach((slot, s) => {
        tensors[`${i}/${this.#variables[s]!}`] = Scope.release(slot.copy());
      });
      const average = this.#averages.get(parameter);
      if (average) tensors[`${i}/${averageKey}`] = Scope.release(average.copy());
      const accumulated = this.#accumulation?.get(parameter);
      if (accumulated) tensors[`${i}/${accumulatedKey}`] = Scope.release(accumulated.copy());
    });
    const rate = this.#learningRate;
    return {
      numbers: {
        iterations: this.iterations,
        ...(typeof rate === 'number' ? { learningRate: rate } : {}),
        ...(this.#averages.shown ? { averagesShown: 1 } : {}),
        ...(this.#accumulation ? { pending: this.#accumulation.pending } : {}),
        ...this.numbers,
      },
      tensors,
      groups: this.#groups.state(parameters),
    };
  }

  /**
   * Goes back to a state, with parameters in the order they had. Throws ValueError when the state
   * is of another kind of optimizer or of other parameters.
   */
  restore(state: OptimizerState, parameters: readonly Tensor[]): void {
    const { iterations, learningRate, averagesShown, pending, ...own } = state.numbers;
    const missing = Object.keys(this.numbers ?? {}).find((each) => own[each] === undefined);
    if (missing !== undefined) {
      throw new ValueError(
        `${this.name}: the state has no "${missing}"; it is of another optimizer`,
      );
    }
    const places = placesOf(state, parameters, this.#variables, this.name);
    const restoreGroups = state.groups && this.#groups.restored(state.groups, parameters);
    this.#slots.clear();
    this.#averages.clear();
    this.#accumulation?.clear();
    this.#revision++;
    for (const { parameter, variable, value } of places) {
      if (variable === averageKey) this.#averages.of(parameter).assign(value);
      else if (variable === accumulatedKey) this.#accumulation?.of(parameter).assign(value);
      else this.#slotsOf(parameter)[this.#variables.indexOf(variable)]!.assign(value);
    }
    this.#averages.shown = averagesShown === 1;
    if (this.#accumulation) this.#accumulation.pending = pending ?? 0;
    restoreGroups?.();
    this.iterations = iterations ?? 0;
    if (learningRate !== undefined && this.schedule === null) this.learningRate = learningRate;
    if (this.numbers) Object.assign(this.numbers, own);
  }

  /** What the constructor takes. Groups are not part of it, but of the state. */
  config(): Record<string, unknown> {
    const rate = this.#learningRate;
    return {
      name: this.name,
      learningRate: typeof rate === 'number' ? rate : serializeSchedule(rate),
      weightDecay: this.weightDecay,
      excludeFromWeightDecay: [...this.#groups.patterns],
      clipNorm: this.clipNorm,
      clipValue: this.clipValue,
      globalClipNorm: this.globalClipNorm,
      useEma: this.useEma,
      emaMomentum: this.emaMomentum,
      emaOverwriteFrequency: this.emaOverwriteFrequency,
      gradientAccumulationSteps: this.gradientAccumulationSteps,
      ...this.ownConfig(),
    };
  }
}
