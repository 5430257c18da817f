/** Names of a model's weights: where each is, from the model down. */

import { ValueError } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import type { Weight } from '../layers/weight.js';

/**
 * All weights by path, in the order of `model.weights`: `dense_1/kernel`, or `encoder/dense/kernel`
 * in a model within the model. Throws ValueError when two would have the same.
 */
export function namedWeights(model: Layer): Map<string, Weight> {
  const names = new Map<string, Weight>();
  const seen = new Set<Weight>();
  const visit = (layer: Layer, prefix: string): void => {
    const inner = new Set(layer.sublayers.flatMap((each) => each.weights));
    for (const weight of layer.weights) {
      if (inner.has(weight) || seen.has(weight)) continue;
      seen.add(weight);
      const name = prefix + localName(layer, weight);
      if (names.has(name)) {
        throw new ValueError(
          `model ${model.name} has two weights named ${name}; give their layers different names`,
        );
      }
      names.set(name, weight);
    }
    for (const each of layer.sublayers) visit(each, `${prefix}${each.name}/`);
  };
  visit(model, '');
  return names;
}

/** A weight's name within its layer: `kernel`. */
function localName(layer: Layer, weight: Weight): string {
  const prefix = `${layer.name}/`;
  return weight.name.startsWith(prefix) ? weight.name.slice(prefix.length) : weight.name;
}
