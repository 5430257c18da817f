/** Parameters with settings of their own, and those that are spared weight decay. */

import { describe, ValueError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { Batch } from './batches.js';
import { checkGroup } from './options.js';
import type { GroupSettings } from './options.js';
import { memberAt } from './state.js';
import type { GroupState } from './state.js';

/** Finds the batch that a parameter is updated in. */
export class Groups {
  readonly #own = new Map<Tensor, Batch>();
  readonly #others: Batch;
  /** Batches of the same settings without weight decay. */
  readonly #undecayed = new Map<Batch, Batch>();
  #patterns: readonly string[] = [];
  #spared: RegExp | null = null;

  /**
   * @param optimizer its name, for messages
   * @param hypers how many hyper-parameters its update has
   */
  constructor(
    readonly optimizer: string,
    readonly hypers: number,
  ) {
    this.#others = new Batch({}, hypers);
  }

  /** Patterns of the names that are spared weight decay. */
  get patterns(): readonly string[] {
    return this.#patterns;
  }

  /** Gives parameters settings of their own, in place of those they had. */
  set(parameters: readonly Tensor[], settings: GroupSettings): void {
    checkGroup(this.optimizer, settings);
    const batch = new Batch({ ...settings }, this.hypers);
    for (const parameter of parameters) this.#own.set(parameter, batch);
  }

  /** See Optimizer.excludeFromWeightDecay. */
  spare(what: unknown): void {
    const where = `${this.optimizer}: excludeFromWeightDecay`;
    if (!Array.isArray(what)) {
      throw new ValueError(
        `${where} takes an array of names or parameters, ['bias'] say, not ${describe(what)}`,
      );
    }
    const patterns: string[] = [];
    for (const each of what as unknown[]) {
      if (each instanceof Tensor) {
        const parameter = each as Tensor;
        this.set([parameter], { ...this.#own.get(parameter)?.settings, weightDecay: 0 });
      } else if (typeof each === 'string' && each !== '') patterns.push(each);
      else throw new ValueError(`${where}: expected a name or a parameter, got ${describe(each)}`);
    }
    this.#patterns = [...new Set([...this.#patterns, ...patterns])];
    try {
      this.#spared = this.#patterns.length > 0 ? new RegExp(this.#patterns.join('|')) : null;
    } catch (error) {
      throw new ValueError(`${where}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** The batch of a parameter. Throws ValueError where names matter and there is none. */
  batchOf(parameter: Tensor, name: string | undefined): Batch {
    const batch = this.#own.get(parameter) ?? this.#others;
    if (!this.#spared) return batch;
    if (name === undefined) {
      throw new ValueError(
        `${this.optimizer}: excludeFromWeightDecay goes by the names of a model's weights, and ` +
          'these parameters have none; give it the parameters themselves',
      );
    }
    return this.#spared.test(name) ? this.#withoutDecay(batch) : batch;
  }

  #withoutDecay(batch: Batch): Batch {
    let twin = this.#undecayed.get(batch);
    if (!twin) {
      twin = new Batch({ ...batch.settings, weightDecay: 0 }, this.hypers);
      this.#undecayed.set(batch, twin);
    }
    return twin;
  }

  /** What {@link restored} takes. */
  state(parameters: readonly Tensor[]): GroupState[] {
    const found = new Map<Batch, number[]>();
    parameters.forEach((parameter, i) => {
      const batch = this.#own.get(parameter);
      if (batch) found.set(batch, [...(found.get(batch) ?? []), i]);
    });
    return [...found].map(([batch, indices]) => ({
      parameters: indices,
      settings: batch.settings,
    }));
  }

  /**
   * Goes back to a state when the function it returns is called. Throws ValueError, having changed
   * nothing, when the state is of other parameters.
   */
  restored(state: readonly GroupState[], parameters: readonly Tensor[]): () => void {
    const groups = state.map(({ parameters: indices, settings }) => {
      checkGroup(this.optimizer, settings);
      return { members: indices.map((i) => memberAt(parameters, i, this.optimizer)), settings };
    });
    return () => {
      for (const parameter of parameters) this.#own.delete(parameter);
      for (const { members, settings } of groups) this.set(members, settings);
    };
  }
}
