/**
 * A training step that is only tried: the model, its optimizer and the random numbers are
 * afterwards as they were, and wherever others have their turn in between.
 */

import { gradientsOf, noGrad } from '../autograd/tape.js';
import type { CallContext, Layer } from '../layers/index.js';
import type { Batch } from '../models/batches.js';
import type { Model } from '../models/model.js';
import { lossOf } from '../models/step.js';
import { defaultGenerator } from '../tensor/random.js';
import { Scope } from '../tensor/storage.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a step computed; its tensors live as long as the {@link Pieces} it was made in. */
export interface Trial {
  readonly loss: number;
  /** Loss of the same batch, with the same random numbers, after the step. */
  readonly lossAfter: number;
  /** Layers in the order in which they were run, those that hold others left out. */
  readonly layers: readonly TriedLayer[];
}

export interface TriedLayer {
  readonly layer: Layer;
  readonly output: Tensor;
  /** Of the loss, for the output. */
  readonly gradient: Tensor | null;
  readonly weights: readonly TriedWeight[];
}

/** A trained weight before and after the step. */
export interface TriedWeight {
  readonly gradient: Tensor | null;
  readonly before: Tensor;
  readonly after: Tensor;
}

/** Memory of work in several pieces: others, who have their turn between them, get none of it. */
export class Pieces {
  readonly #scopes: Scope[] = [];

  piece<T>(work: () => T): T {
    const scope = new Scope();
    this.#scopes.push(scope);
    try {
      return work();
    } finally {
      scope.leave();
    }
  }

  /** Frees what the pieces made. */
  end(): void {
    for (const scope of this.#scopes.splice(0)) scope.end();
  }
}

/** Tries one step on one batch; others may have their turn where it yields. */
export function* tryStep(model: Model, batch: Batch, pieces: Pieces): Generator<void, Trial> {
  const { seen, loss, random, asAfter } = pieces.piece(() => predict(model, batch));
  yield;
  const trained = model.trainableWeights.map((weight) => weight.value);
  const gradients = pieces.piece(() => {
    const undo = remember(model);
    try {
      // The backward pass needs the values that the forward pass left.
      asAfter();
      const wanted = [...trained, ...seen.map(({ output }) => output)];
      return loss.requiresGrad ? gradientsOf(loss, wanted) : wanted.map(() => null);
    } finally {
      undo();
    }
  });
  yield;
  const moved = pieces.piece(() => move(model, trained, gradients.slice(0, trained.length)));
  yield;
  const lossAfter = pieces.piece(() => {
    const undo = remember(model);
    try {
      moved.asAfter();
      // Masks of dropout are the same again: another loss is the step's doing.
      defaultGenerator.restore(random);
      return noGrad(() => forward(model, batch).item() as number);
    } finally {
      undo();
    }
  });
  return {
    loss: loss.item() as number,
    lossAfter,
    layers: seen.map(({ layer, output }, i) => ({
      layer,
      output,
      gradient: gradients[trained.length + i]!,
      weights: layer.weights.flatMap(({ value }) => moved.weights.get(value) ?? []),
    })),
  };
}

/** Copies of weights and random numbers, and a function that puts them back. */
function remember(model: Model): () => void {
  const parameters = model.weights.map((weight) => weight.value);
  const values = noGrad(() => parameters.map((value) => value.copy()));
  const versions = parameters.map(({ storage }) => storage.version);
  const random = defaultGenerator.state();
  return () => {
    parameters.forEach((parameter, i) => {
      parameter.assign(values[i]!);
      // The values are those of this version: a gradient that needs them finds them.
      parameter.storage.version = versions[i]!;
    });
    defaultGenerator.restore(random);
  };
}

/** Loss of a batch in training; `observe` is shown the layers' results. */
function forward(model: Model, batch: Batch, observe?: CallContext['observe']): Tensor {
  const penalties: Tensor[] = [];
  const outputs = model.applyAll(batch.inputs, {
    training: true,
    addLoss: (loss) => penalties.push(loss),
    ...(observe ? { observe } : {}),
  });
  return lossOf(model, model.compiled, outputs, batch, penalties).loss;
}

/** The forward pass, and the way back to what it left: batch normalization moves its statistics. */
function predict(model: Model, batch: Batch) {
  const undo = remember(model);
  const random = defaultGenerator.state();
  try {
    const seen: { readonly layer: Layer; readonly output: Tensor }[] = [];
    const loss = forward(model, batch, (layer, output) => {
      if (layer.sublayers.length === 0) seen.push({ layer, output });
    });
    return { seen, loss, random, asAfter: remember(model) };
  } finally {
    undo();
  }
}

/**
 * The optimizer's step, the way back to what it left, and what it moved: nothing where no weight
 * has a gradient.
 */
function move(model: Model, trained: readonly Tensor[], gradients: readonly (Tensor | null)[]) {
  const { optimizer } = model;
  // Of all weights: those that are frozen now may have been trained before.
  const all = model.weights.map((weight) => weight.value);
  const undo = remember(model);
  const state = optimizer.state(all);
  try {
    const copies = (): Tensor[] => noGrad(() => trained.map((each) => each.copy()));
    const before = copies();
    const weights = new Map<Tensor, TriedWeight>();
    if (gradients.some((gradient) => gradient !== null)) {
      update(model, trained, gradients);
      copies().forEach((after, i) => {
        weights.set(trained[i]!, { gradient: gradients[i]!, before: before[i]!, after });
      });
    }
    return { weights, asAfter: remember(model) };
  } finally {
    undo();
    optimizer.restore(state, all);
  }
}

function update(
  model: Model,
  trained: readonly Tensor[],
  gradients: readonly (Tensor | null)[],
): void {
  const { optimizer } = model;
  // Optimizers that accumulate gradients move once in several steps: see the step that moves.
  const updates = optimizer.iterations;
  const names = model.trainableWeights.map((weight) => weight.name);
  for (let i = 0; i < (optimizer.gradientAccumulationSteps ?? 1); i++) {
    if (optimizer.iterations > updates) break;
    noGrad(() => optimizer.apply(trained, gradients, names));
  }
}
