/** What can watch and steer training: a base class with a hook per moment. */

import { ValueError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import type { Batch } from '../models/batches.js';
import type { Model } from '../models/model.js';
import type { Tensor } from '../tensor/tensor.js';

/** Numbers known at a moment: `loss`, metrics by name, `val_`-prefixed after an epoch. */
export type Logs = Readonly<Record<string, number>>;

/** What `fit` is about to do; constant over a run. */
export interface RunInfo {
  readonly epochs: number;
  readonly initialEpoch: number;
  /** Training steps in an epoch; undefined when the data has no known length. */
  readonly stepsPerEpoch: number | undefined;
  readonly batchSize: number;
  readonly validation: boolean;
  /** All callbacks of the run, in the order in which they are called. */
  readonly callbacks: readonly Callback[];
  /**
   * The batch of the step that `onTrainBatchBegin` and `onTrainBatchEnd` are told of. It is made
   * anew when asked for: call it inside a scope.
   */
  batch(): Batch;
}

/** A place in a run, between two steps. */
export interface Position {
  /** The epoch to be trained next or being trained, from 0. */
  readonly epoch: number;
  /** How many of its steps are done. */
  readonly step: number;
}

/** How to go on at a place of an earlier run. */
export interface Resumption {
  readonly position: Position;
  /** What was summed up over the steps of the epoch: loss and metrics. */
  readonly sums: unknown;
  /** Puts everything back as it was there. */
  restore(): HookResult;
}

/** What a callback remembers besides what its constructor was given. */
export interface CallbackState {
  /** Plain JSON; NaN and infinities are kept. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/* eslint-disable @typescript-eslint/no-empty-function, @typescript-eslint/no-unused-vars --
   hooks do nothing until they are overridden */

type HookResult = void | Promise<void>;

/**
 * Override the hooks you need; `fit` awaits what they return. A callback may set
 * `model.stopTraining`, change the optimizer's learning rate, and read or set weights.
 */
export abstract class Callback {
  /** The model being trained; set before `onTrainBegin`. */
  model!: Model;
  /** What is being run; set before `onTrainBegin`. */
  run!: RunInfo;
  /** @internal Hooks that are overridden and yet need not be called. */
  readonly ignored = new Set<HookName>();

  onTrainBegin(): HookResult {}

  /** Also called when training was interrupted or something threw. */
  onTrainEnd(_logs: Logs): HookResult {}

  onEpochBegin(_epoch: number): HookResult {}

  /** `logs` may be added to by callbacks (a learning rate, say) for those after them. */
  onEpochEnd(_epoch: number, _logs: Record<string, number>): HookResult {}

  onTrainBatchBegin(_step: number): HookResult {}

  /** `logs` are running means over the epoch so far. */
  onTrainBatchEnd(_step: number, _logs: Logs): HookResult {}

  onValidationBegin(): HookResult {}

  onValidationEnd(_logs: Logs): HookResult {}

  /**
   * Between two steps, and after every epoch: all callbacks have been told everything before and
   * nothing after, so that what is saved now is the whole state of the run. `sums` gives, as plain
   * JSON, what was summed up over the steps of the epoch.
   */
  onBoundary(_position: Position, _sums: () => Promise<unknown>): HookResult {}

  /**
   * @internal Within a step whose loss is NaN or infinite, before its update: the weights are still
   * those that gave it. Not on devices that compute apart from the host.
   */
  beforeBrokenUpdate?: () => void;

  /** Asked after `onTrainBegin`: where an earlier run of the same kind is to be gone on with. */
  resume?(): Promise<Resumption | undefined>;

  /** What {@link restore} needs to go on; absent when nothing is remembered between epochs. */
  state?(): CallbackState | Promise<CallbackState>;

  /** Goes back to a state, after `onTrainBegin`. */
  restore?(state: CallbackState): HookResult;

  /** For constructors: with these options there is no need to be told of a moment, after all. */
  protected ignore(hook: HookName): void {
    this.ignored.add(hook);
  }
}

export type HookName = Extract<keyof Callback, `on${string}`>;

const hookNames = Object.getOwnPropertyNames(Callback.prototype).filter((name) =>
  name.startsWith('on'),
);

/** The hooks given as functions. */
export class LambdaCallback extends Callback {
  constructor(hooks: Partial<Pick<Callback, HookName>>) {
    super();
    checkOptionNames('LambdaCallback', hooks, hookNames);
    for (const [name, hook] of Object.entries(hooks)) {
      if (typeof hook === 'function') continue;
      throw new ValueError(`LambdaCallback: ${name} must be a function, not ${String(hook)}`);
    }
    Object.assign(this, hooks);
  }
}

/** Calls one hook of every callback, in order; skips those that did not override it. */
export class CallbackList {
  readonly #overriding = new Map<HookName, Callback[]>();

  constructor(readonly callbacks: readonly Callback[]) {}

  /** Whether any callback listens: what nobody listens to need not be computed. */
  listens(hook: HookName): boolean {
    return this.#listeners(hook).length > 0;
  }

  async call<H extends HookName>(hook: H, ...args: Parameters<Callback[H]>): Promise<void> {
    for (const callback of this.#listeners(hook)) {
      // Awaiting costs a turn of the microtask queue; most hooks return nothing.
      const result = (callback[hook] as (...args: unknown[]) => HookResult)(...args);
      if (result) await result;
    }
  }

  #listeners(hook: HookName): Callback[] {
    let list = this.#overriding.get(hook);
    if (!list) {
      list = this.callbacks.filter(
        (each) => each[hook] !== Callback.prototype[hook] && !each.ignored.has(hook),
      );
      this.#overriding.set(hook, list);
    }
    return list;
  }
}
