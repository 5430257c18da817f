/** What can watch and steer training: a base class with a hook per moment. */

import type { Model } from '../models/model.js';

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
}

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
}

export type HookName = Extract<keyof Callback, `on${string}`>;

/** The hooks given as functions. */
export class LambdaCallback extends Callback {
  constructor(hooks: Partial<Pick<Callback, HookName>>) {
    super();
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
      list = this.callbacks.filter((each) => each[hook] !== Callback.prototype[hook]);
      this.#overriding.set(hook, list);
    }
    return list;
  }
}
