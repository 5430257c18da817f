/**
 * Reverse-mode differentiation.
 *
 * A differentiable operation calls {@link track} with its result, its inputs and a function from
 * the gradient of the result to the gradients of the inputs. `backward` walks these nodes from the
 * last to the first. Gradient functions are written with ordinary operations, so under
 * `createGraph` they are recorded themselves, and gradients have gradients.
 */

import { kernelNumber } from '../backends/kernels.js';
import { GradientError, ShapeError } from '../errors.js';
import { onesLike } from '../tensor/create.js';
import { sameShape, showShape } from '../tensor/shape.js';
import { Scope } from '../tensor/storage.js';
import { emptyLike } from '../tensor/tensor.js';
import type { TapeNode, Tensor } from '../tensor/tensor.js';

/** Gradients of the inputs, in order; null where there is none. */
export type GradientFunction = (gradient: Tensor) => readonly (Tensor | null)[];

class Node implements TapeNode {
  readonly order = ++recorded;
  /** Set when a backward pass has consumed the node. */
  freed = false;
  readonly #versions: readonly number[];

  constructor(
    readonly name: string,
    public inputs: readonly Tensor[],
    public saved: readonly Tensor[],
    public gradients: GradientFunction,
  ) {
    this.#versions = saved.map((tensor) => tensor.storage.version);
  }

  /** Throws when a value the gradient needs was freed or changed. */
  check(): void {
    this.saved.forEach((tensor, which) => {
      if (tensor.storage.buffer === null) {
        throw new GradientError(
          `backward: a value ${this.name} needs, shape ${showShape(tensor.shape)}, was freed; ` +
            'call backward() inside the scope that made it, or keep() the value',
        );
      }
      if (tensor.storage.version !== this.#versions[which]) {
        throw new GradientError(
          `backward: a value ${this.name} needs, shape ${showShape(tensor.shape)}, was changed in ` +
            'place after the forward pass; change a copy(), or call backward() before the change',
        );
      }
    });
  }

  /** Lets go of everything it held. */
  free(): void {
    this.freed = true;
    this.inputs = this.saved = [];
    this.gradients = () => [];
  }
}

let recorded = 0;
let recording = true;

/** Whether operations on tensors that require gradients are being recorded. */
export function isRecording(): boolean {
  return recording;
}

/** Runs `body` with recording switched on or off. */
export function withRecording<T>(on: boolean, body: () => T): T {
  const before = recording;
  recording = on;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/** Runs `body` without recording: its results have no gradients. `body` must be synchronous. */
export function noGrad<T>(body: () => T): T {
  return withRecording(false, body);
}

/** True when an operation on these inputs is to be recorded. */
export function tracks(a: Tensor, b?: Tensor | null, c?: Tensor | null): boolean {
  return recording && (a.requiresGrad || (b?.requiresGrad ?? false) || (c?.requiresGrad ?? false));
}

/**
 * Records `result` as computed from `inputs`. `saved` lists the tensors whose values `gradients`
 * reads; they are checked for having stayed as they were. Returns `result`.
 */
export function track<T extends Tensor>(
  result: T,
  name: string,
  inputs: readonly Tensor[],
  saved: readonly Tensor[],
  gradients: GradientFunction,
): T {
  result.requiresGrad = true;
  result.node = new Node(name, inputs, saved, gradients);
  return result;
}

export interface BackwardOptions {
  /** Gradient of something with respect to the tensor; default 1, for a scalar. */
  readonly gradient?: Tensor;
  /** Keep the graph for another backward pass. Default: the value of createGraph. */
  readonly retainGraph?: boolean;
  /** Record the gradient computation, so that gradients can be differentiated. Default false. */
  readonly createGraph?: boolean;
}

/** Adds the gradient of `root` to `.grad` of every leaf it was computed from. */
export function backward(root: Tensor, options: BackwardOptions = {}): void {
  const taken = new Set(options.gradient ? [options.gradient.storage] : []);
  for (const [leaf, gradient] of run(root, options, null)) {
    let sum = leaf.grad ? addGradients(leaf.grad, gradient) : gradient;
    // Operations may pass one gradient on to several inputs; each leaf gets memory of its own.
    if (!options.createGraph) sum = taken.has(sum.storage) ? sum.copy() : sum.detach();
    taken.add(sum.storage);
    // The leaf usually outlives the scope of the step that gave it its gradient.
    Scope.release(sum);
    leaf.grad = sum;
  }
}

/**
 * Gradients of `root` with respect to `inputs` (leaves or intermediate results), without touching
 * `.grad`. Null for an input that `root` does not depend on.
 */
export function gradientsOf(
  root: Tensor,
  inputs: readonly Tensor[],
  options: BackwardOptions = {},
): (Tensor | null)[] {
  const found = run(root, options, new Set(inputs));
  return inputs.map((input) => found.get(input) ?? null);
}

/** The pass itself: gradients of the tensors in `wanted`, or of all leaves when that is null. */
function run(
  root: Tensor,
  options: BackwardOptions,
  wanted: ReadonlySet<Tensor> | null,
): Map<Tensor, Tensor> {
  const createGraph = options.createGraph ?? false;
  const start = startingGradient(root, options.gradient);
  const nodes = nodesBehind(root, wanted);
  const collected = new Map<Tensor, Tensor>();
  const pending = new Map<TapeNode, Tensor>();

  const deliver = (input: Tensor, gradient: Tensor): void => {
    if (wanted ? wanted.has(input) : !input.node) accumulate(collected, input, gradient);
    if (input.node) accumulate(pending, input.node, gradient);
  };
  withRecording(createGraph, () => {
    deliver(root, start);
    for (const node of nodes) {
      const gradient = pending.get(node);
      if (!gradient) continue;
      pending.delete(node);
      node.check();
      const gradients = node.gradients(gradient);
      node.inputs.forEach((input, which) => {
        const each = gradients[which];
        if (!each || !input.requiresGrad) return;
        checkGradient(node, input, each);
        deliver(input, each);
      });
    }
  });
  if (!(options.retainGraph ?? createGraph)) for (const node of nodes) node.free();
  return collected;
}

function accumulate<K>(sums: Map<K, Tensor>, key: K, gradient: Tensor): void {
  const before = sums.get(key);
  sums.set(key, before ? addGradients(before, gradient) : gradient);
}

/** a + b, recorded when gradients are. Here because the tape may not import operations. */
function addGradients(a: Tensor, b: Tensor): Tensor {
  const sum = emptyLike(a);
  sum.backend.map(addKernel, sum.buffer, a.buffer, b.buffer, null, null, 0, 0);
  return tracks(a, b) ? track(sum, 'add', [a, b], [], (gradient) => [gradient, gradient]) : sum;
}

const addKernel = kernelNumber('add');

function checkGradient(node: Node, input: Tensor, gradient: Tensor): void {
  if (sameShape(input.shape, gradient.shape) && input.dtype === gradient.dtype) return;
  throw new GradientError(
    `backward: ${node.name} gave a gradient of shape ${showShape(gradient.shape)} ` +
      `${gradient.dtype} for an input of shape ${showShape(input.shape)} ${input.dtype}; its ` +
      'gradient function must return one gradient of the same shape and dtype per input',
  );
}

function startingGradient(root: Tensor, gradient: Tensor | undefined): Tensor {
  if (!root.requiresGrad) {
    throw new GradientError(
      'backward: this tensor does not depend on anything that requires a gradient; make the ' +
        'parameters with { requiresGrad: true } and compute outside noGrad',
    );
  }
  if (gradient) {
    if (sameShape(root.shape, gradient.shape) && root.dtype === gradient.dtype) return gradient;
    throw new ShapeError(
      `backward: the gradient given has shape ${showShape(gradient.shape)} ${gradient.dtype}, ` +
        `the tensor ${showShape(root.shape)} ${root.dtype}`,
    );
  }
  if (root.size !== 1) {
    throw new ShapeError(
      `backward: needs a scalar such as a loss, this has shape ${showShape(root.shape)}; reduce it ` +
        'with mean() or sum(), or give { gradient }',
    );
  }
  return onesLike(root);
}

/** Everything a result was computed from: all nodes, and the leaves that require gradients. */
function ancestors(root: Tensor): { nodes: Set<Node>; leaves: Set<Tensor> } {
  const nodes = new Set<Node>();
  const leaves = new Set<Tensor>();
  const stack: Tensor[] = [root];
  for (let tensor = stack.pop(); tensor; tensor = stack.pop()) {
    const node = tensor.node as Node | null;
    if (node === null) leaves.add(tensor);
    if (node === null || nodes.has(node)) continue;
    nodes.add(node);
    for (const input of node.inputs) if (input.requiresGrad) stack.push(input);
  }
  return { nodes, leaves };
}

/** The leaves a result depends on. */
export const leavesBehind = (root: Tensor): ReadonlySet<Tensor> =>
  root.requiresGrad ? ancestors(root).leaves : new Set();

/** Nodes between the root and the wanted tensors (all nodes when null), last recorded first. */
function nodesBehind(root: Tensor, wanted: ReadonlySet<Tensor> | null): Node[] {
  const nodes = [...ancestors(root).nodes].sort((a, b) => a.order - b.order);
  const useful = new Set<TapeNode>();
  for (const node of nodes) {
    const leads = node.inputs.some(
      (input) => !wanted || wanted.has(input) || (input.node && useful.has(input.node)),
    );
    if (leads || node.freed) useful.add(node);
  }
  const path = nodes.filter((node) => useful.has(node)).reverse();
  const freed = path.find((node) => node.freed);
  if (freed) {
    throw new GradientError(
      `backward: the graph behind a result of ${freed.name} was freed by an earlier backward(); ` +
        'compute the forward pass again, or give { retainGraph: true } the first time',
    );
  }
  return path;
}
