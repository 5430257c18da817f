/** The state of an optimizer as it is saved. */

import { ValueError } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { show } from './batches.js';
import type { GroupSettings } from './options.js';

/** Everything needed to go on exactly where an optimizer was. */
export interface OptimizerState {
  /** Counts and running products; JSON keeps them exactly. */
  readonly numbers: Readonly<Record<string, number>>;
  /**
   * By `<index of the parameter>/<variable>`: `0/m`, `0/v`; `ema` is the moving average,
   * `accumulated` the mean of gradients that wait for an update.
   */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Parameters with settings of their own; absent in states that do not know. */
  readonly groups?: readonly GroupState[];
}

/** Parameters, by their index, and what they have of their own. */
export interface GroupState {
  readonly parameters: readonly number[];
  readonly settings: GroupSettings;
}

/** The variable name of a parameter's moving average. */
export const averageKey = 'ema';
/** The variable name of a parameter's gradients that wait for an update. */
export const accumulatedKey = 'accumulated';

/** A saved value and what it is of. */
interface Place {
  readonly parameter: Tensor;
  readonly variable: string;
  readonly value: Tensor;
}

/**
 * Where the tensors of a state belong. Throws ValueError unless every one is a variable of a
 * parameter and has its shape and dtype.
 */
export function placesOf(
  state: OptimizerState,
  parameters: readonly Tensor[],
  variables: readonly string[],
  name: string,
): Place[] {
  return Object.entries(state.tensors).map(([key, value]) => {
    const [index = '', variable = ''] = key.split('/');
    const parameter = parameters[Number(index)];
    const known = [...variables, averageKey, accumulatedKey];
    if (!parameter || !known.includes(variable)) {
      throw new ValueError(
        `${name}: the state holds "${key}", but there are ${parameters.length} parameters with ` +
          `${variables.join(', ') || 'no variables'} each; it is of another optimizer or model`,
      );
    }
    if (!sameShape(parameter.shape, value.shape) || parameter.dtype !== value.dtype) {
      throw new ValueError(
        `${name}: the state's "${key}" is ${show(value)}, the parameter ${show(parameter)}`,
      );
    }
    return { parameter, variable, value };
  });
}

/** The parameter of an index in a state. Throws ValueError when there is none. */
export function memberAt(parameters: readonly Tensor[], index: number, name: string): Tensor {
  const found = parameters[index];
  if (found) return found;
  throw new ValueError(
    `${name}: the state has a group with parameter ${index}, but there are ${parameters.length}`,
  );
}
