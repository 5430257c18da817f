/** Bad input to tensors and operations: a typed error that names what was given, on all devices. */

import { beforeAll, describe, expect, it } from 'vitest';

import * as g from '../src/index.js';
import { setDevice } from '../src/backends/registry.js';
import { devices } from './devices.js';

type ErrorClass = new (message: string) => g.GradloomError;

/** What to call, which error it must throw, and words its message must have. */
type Bad = readonly [what: string, call: () => unknown, error: ErrorClass, ...words: string[]];

const { DeviceError, DTypeError, GradientError, MemoryError, ShapeError, ValueError } = g;

/** For calls that TypeScript refuses: JavaScript does not. */
const untyped = g as unknown as Record<string, (...args: unknown[]) => g.Tensor>;
const method = (x: g.Tensor, name: string, ...args: unknown[]): unknown =>
  (x as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args);

const matrix = (): g.Tensor<'float32'> => g.tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const vector = (): g.Tensor<'float32'> => g.tensor([1, 2, 3]);
const leaf = (): g.Tensor<'float32'> => g.tensor([1, 2, 3], { requiresGrad: true });

const creation: readonly Bad[] = [
  ['ragged rows', () => g.tensor([[1, 2], [3]]), ShapeError, 'ragged', '2', '1'],
  ['an array among numbers', () => g.tensor([1, [2]] as number[]), ShapeError, 'ragged'],
  ['a number among arrays', () => g.tensor([[1], 2] as number[][]), ShapeError, 'ragged', '2'],
  ['ragged in depth', () => g.tensor([[[1], [2]], [[3], [4, 5]]]), ShapeError, 'ragged'],
  ['text', () => untyped['tensor']!('abc'), DTypeError, 'abc'],
  ['text among numbers', () => untyped['tensor']!([1, 'two']), DTypeError, 'two'],
  ['nothing', () => untyped['tensor']!(), DTypeError, 'undefined'],
  ['null', () => untyped['tensor']!(null), DTypeError, 'null'],
  ['a hole', () => g.tensor(new Array<number>(3)), DTypeError, 'undefined'],
  ['a bigint', () => untyped['tensor']!([1n]), DTypeError, '1'],
  ['an object', () => untyped['tensor']!({ length: 2 }), DTypeError, 'Object'],
  ['an array of an unknown kind', () => untyped['tensor']!(new Int16Array(2)), DTypeError, 'Int16'],
  ['a tensor', () => untyped['tensor']!(vector()), DTypeError, 'copy()'],
  ['an array in itself', () => untyped['tensor']!(endless()), ShapeError, 'axes'],
  ['an unknown dtype', () => untyped['zeros']!([2], { dtype: 'float16' }), DTypeError, 'float16'],
  ['a fraction as int32', () => g.tensor([0.5], { dtype: 'int32' }), ValueError, '0.5', 'int32'],
  ['NaN as int32', () => g.tensor([NaN], { dtype: 'int32' }), ValueError, 'NaN', 'int32'],
  ['256 as uint8', () => g.tensor([256], { dtype: 'uint8' }), ValueError, '256', '255'],
  ['−1 as uint8', () => g.full([2], -1, { dtype: 'uint8' }), ValueError, 'full', '-1'],
  ['values that do not fill', () => g.tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, '3', '[2, 2]'],
  ['a shape that is a number', () => untyped['zeros']!(3), ShapeError, 'array', '3'],
  ['no shape', () => untyped['ones']!(), ShapeError, 'undefined'],
  ['a negative size', () => g.zeros([2, -1]), ShapeError, '-1'],
  ['a fractional size', () => g.zeros([2.5]), ShapeError, '2.5'],
  ['a size that is NaN', () => g.zeros([NaN]), ShapeError, 'NaN'],
  ['an infinite size', () => g.zeros([Infinity]), ShapeError, 'Infinity'],
  ['a size that is text', () => untyped['zeros']!(['2']), ShapeError, '"2"'],
  ['an unknown device', () => g.zeros([2], { device: 'tpu' }), DeviceError, 'tpu', 'js'],
  ['a gradient of integers', () => g.zeros([2], { dtype: 'int32', requiresGrad: true }), DTypeError, 'int32'],
  ['arange without a step', () => g.arange(0, 5, 0), ValueError, 'arange', 'step'],
  ['arange to NaN', () => g.arange(NaN), ValueError, 'NaN'],
  ['arange to infinity', () => g.arange(Infinity), ValueError, 'Infinity'],
  ['arange beyond uint8', () => g.arange(0, 300, 1, { dtype: 'uint8' }), ValueError, 'arange', '256'],
  ['arange of fractions in int32', () => g.arange(0, 1, 0.25, { dtype: 'int32' }), ValueError, '0.25'],
  ['linspace of −1 values', () => g.linspace(0, 1, -1), ValueError, 'linspace', '-1'],
  ['linspace to infinity', () => g.linspace(0, Infinity, 3), ValueError, 'linspace', 'Infinity'],
  ['linspace in integers', () => untyped['linspace']!(0, 1, 3, { dtype: 'int32' }), DTypeError, 'int32'],
  ['eye of −1 rows', () => g.eye(-1), ValueError, 'rows', '-1'],
  ['eye of half an offset', () => g.eye(3, 3, { offset: 0.5 }), ValueError, 'offset', '0.5'],
]; // prettier-ignore

/** An array whose only element is itself. */
function endless(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

const sizes: readonly Bad[] = [
  ['zeros', () => g.zeros([1e6, 1e6]), MemoryError, '1000000000000', 'float32'],
  ['a terabyte of random numbers', () => g.randn([1e6, 1e6]), MemoryError, '1000000000000'],
  ['more elements than there are numbers', () => g.zeros([1e9, 1e9]), ShapeError, '[1000000000, 1000000000]'],
  ['eye', () => g.eye(1e6), MemoryError, '1000000000000'],
  ['arange', () => g.arange(1e12), MemoryError, '1000000000000'],
  ['linspace', () => g.linspace(0, 1, 1e12), MemoryError, '1000000000000'],
  ['oneHot', () => g.oneHot([0], 1e12), MemoryError, '1000000000000'],
  ['broadcastTo', () => g.broadcastTo(g.tensor(1), [1e6, 1e6]), MemoryError, '1000000000000'],
  ['an outer sum', () => g.zeros([1e6, 1]).add(g.zeros([1, 1e6])), MemoryError, '1000000000000'],
  ['an outer product', () => g.zeros([1e6, 1]).matmul(g.zeros([1, 1e6])), MemoryError, '1000000000000'],
  ['pad', () => vector().pad(1e12), MemoryError, '2000000000003'],
  ['tile', () => vector().tile(1e12), MemoryError, '3000000000000'],
  ['a permutation', () => g.permutation(2 ** 40), ValueError, 'count'],
]; // prettier-ignore

const shapes: readonly Bad[] = [
  ['add', () => matrix().add(g.ones([2])), ShapeError, 'add', '[2, 3]', '[2]'],
  ['where', () => g.where(g.ones([2]), vector(), 0), ShapeError, 'where', '[2]', '[3]'],
  ['matmul', () => matrix().matmul(g.ones([2, 3])), ShapeError, '[2, 3]', '3 against 2'],
  ['matmul, transposed', () => matrix().matmul(g.ones([3, 2]), { transposeB: true }), ShapeError, 'ᵀ'],
  ['matmul of a scalar', () => g.matmul(matrix(), g.tensor(2)), ShapeError, 'one axis', '[]'],
  ['matmul of batches', () => g.ones([2, 1, 1]).matmul(g.ones([3, 1, 1])), ShapeError, '2 against 3'],
  ['dense', () => g.dense(matrix(), g.ones([2, 3])), ShapeError, 'dense', '[2, 3]'],
  ['the bias of dense', () => g.dense(matrix(), g.ones([3, 2]), g.ones([3])), ShapeError, 'bias', '[3]'],
  ['softmaxCrossEntropy', () => g.softmaxCrossEntropy(matrix(), g.tensor([0, 1, 2], { dtype: 'int32' })), ShapeError, '[2, 3]', '[3]'],
  ['cross-entropy without classes', () => g.softmaxCrossEntropy(g.zeros([2, 0]), g.zeros([2, 0])), ShapeError, '[2, 0]', 'classes'],
  ['reshape', () => matrix().reshape([4, 2]), ShapeError, '6', '8', '[4, 2]'],
  ['reshape of −1 that does not divide', () => matrix().reshape([-1, 4]), ShapeError, '[-1, 4]', '6'],
  ['reshape with two −1', () => matrix().reshape([-1, -1]), ShapeError, '-1'],
  ['reshape to a number', () => method(matrix(), 'reshape', 6), ShapeError, 'array', '6'],
  ['broadcastTo', () => matrix().broadcastTo([3, 3]), ShapeError, '[2, 3]', '[3, 3]'],
  ['broadcastTo fewer axes', () => matrix().broadcastTo([3]), ShapeError, '[2, 3]', '[3]'],
  ['squeeze', () => matrix().squeeze(0), ShapeError, 'squeeze', 'axis 0', '2'],
  ['transpose with too few axes', () => matrix().transpose([0]), ShapeError, 'transpose', '[0]'],
  ['transpose with an axis twice', () => matrix().transpose([0, 0]), ShapeError, 'twice'],
  ['transpose with numbers', () => method(matrix(), 'transpose', 1, 0), ShapeError, 'transpose', '1'],
  ['concat', () => g.concat([matrix(), g.ones([2, 2])]), ShapeError, '[2, 3]', '[2, 2]'],
  ['concat of scalars', () => g.concat([g.tensor(1), g.tensor(2)]), ShapeError, 'stack()'],
  ['concat of nothing', () => g.concat([]), ShapeError, 'concat', '0'],
  ['concat of a tensor', () => untyped['concat']!(matrix()), ShapeError, 'concat', 'Tensor'],
  ['stack', () => g.stack([vector(), g.ones([2])]), ShapeError, '[3]', '[2]'],
  ['split into parts that do not add up', () => vector().split([1, 1]), ShapeError, '2', '3'],
  ['split into equal parts', () => vector().split(2), ShapeError, '2', '[3]'],
  ['pad with too few pairs', () => matrix().pad([[1, 1]]), ShapeError, 'pad', '2 axes'],
  ['takeAlongAxis', () => matrix().takeAlongAxis([[0], [0], [0]]), ShapeError, '[3, 1]', '[2, 3]'],
  ['scatterAdd', () => matrix().scatterAdd([0], g.ones([2, 3])), ShapeError, '[2, 3]', '[1, 3]'],
  ['item of many', () => matrix().item(), ShapeError, 'item', '[2, 3]'],
  ['max of nothing', () => g.zeros([2, 0]).max(1), ShapeError, 'max', '[2, 0]'],
  ['argMax of nothing', () => g.zeros([0]).argMax(), ShapeError, 'argMax', '[0]'],
  ['assign another shape', () => matrix().assign(g.ones([3, 2])), ShapeError, '[2, 3]', '[3, 2]'],
  ['assign too few values', () => matrix().assign(new Float32Array(5)), ShapeError, '6', '5'],
  ['assign another kind of array', () => method(matrix(), 'assign', new Float64Array(6)), ShapeError, 'Float64Array'],
  ['assign nothing', () => method(matrix(), 'assign'), ShapeError, 'assign', 'undefined'],
  ['batchNorm without rows', () => g.batchNorm(g.zeros([0, 3])), ShapeError, 'batchNorm', '[0, 3]'],
  ['batchNorm of a scalar', () => g.batchNorm(g.tensor(1)), ShapeError, 'scalar'],
  ['batchNorm with another gamma', () => g.batchNorm(matrix(), g.ones([2])), ShapeError, 'gamma', '[2]'],
  ['nine axes in a new order', () => g.zeros(new Array<number>(9).fill(2)).transpose(), ShapeError, '8 axes'],
]; // prettier-ignore

const axes: readonly Bad[] = [
  ['beyond the last', () => matrix().sum(2), ShapeError, 'sum', 'axis 2', '1'],
  ['before the first', () => matrix().max(-3), ShapeError, 'max', '-3'],
  ['NaN', () => matrix().mean(NaN), ShapeError, 'mean', 'NaN'],
  ['a fraction', () => matrix().argMax(0.5), ShapeError, 'argMax', '0.5'],
  ['one twice', () => matrix().sum([0, -2]), ShapeError, 'twice'],
  ['of a scalar', () => g.tensor(1).sum(0), ShapeError, 'scalar'],
  ['text', () => method(matrix(), 'sum', 'rows'), ShapeError, 'rows'],
  ['options in their place', () => method(matrix(), 'sum', { keepDims: true }), ShapeError, 'sum', 'Object'],
  ['of softmax', () => matrix().softmax(2), ShapeError, 'softmax', '2'],
  ['of softmax of a scalar', () => g.tensor(1).softmax(), ShapeError, 'scalar'],
  ['of expandDims', () => matrix().expandDims(4), ShapeError, 'expandDims', '4'],
  ['of swapAxes', () => matrix().swapAxes(0, 2), ShapeError, 'swapAxes', '2'],
  ['of gather', () => matrix().gather([0], 2), ShapeError, 'gather', '2'],
  ['of sort', () => matrix().sort(5), ShapeError, 'sort', '5'],
  ['of cumsum', () => matrix().cumsum(-3), ShapeError, 'cumsum', '-3'],
  ['of flip', () => matrix().flip([0, 5]), ShapeError, 'flip', '5'],
  ['of concat', () => g.concat([vector(), vector()], 1), ShapeError, 'concat', '1'],
  ['of layerNorm', () => g.layerNorm(matrix(), null, null, { axis: 3 }), ShapeError, 'layerNorm', '3'],
]; // prettier-ignore

const dtypes: readonly Bad[] = [
  ['cast', () => method(vector(), 'cast', 'float16'), DTypeError, 'float16', 'float64'],
  ['softmax of integers', () => g.softmax(g.zeros([2], { dtype: 'int32' })), DTypeError, 'softmax', 'int32'],
  ['dense of two dtypes', () => g.dense(matrix(), g.ones([3, 2], { dtype: 'float64' })), DTypeError, 'float32', 'float64'],
  ['dense of integers', () => g.dense(g.ones([1, 1], { dtype: 'int32' }), g.ones([1, 1])), DTypeError, 'int32'],
  ['gather at fractions', () => matrix().gather(g.tensor([0.5])), DTypeError, 'gather', 'float32'],
  ['gather at truths', () => matrix().gather(g.tensor([true])), DTypeError, 'where()'],
  ['scatterAdd to truths', () => g.tensor([true]).scatterAdd([0], g.tensor([true])), DTypeError, 'bool'],
  ['oneHot of fractions', () => g.oneHot(g.tensor([1]), 3), DTypeError, 'oneHot', 'float32'],
  ['batchNorm of two dtypes', () => g.batchNorm(matrix(), g.ones([3], { dtype: 'float64' })), DTypeError, 'gamma', 'float64'],
  ['dropout of integers', () => g.dropout(g.ones([2], { dtype: 'int32' }), 0.5), DTypeError, 'dropout', 'int32'],
  ['random normal integers', () => untyped['randn']!([2], { dtype: 'int32' }), DTypeError, 'int32'],
  ['assign another dtype', () => matrix().assign(g.ones([2, 3], { dtype: 'float64' })), ShapeError, 'float64'],
  ['add of text', () => method(vector(), 'add', 'one'), DTypeError, 'one'],
  ['add of nothing', () => method(vector(), 'add'), DTypeError, 'undefined'],
  ['add of null', () => method(vector(), 'add', null), DTypeError, 'null'],
  ['exp of text', () => untyped['exp']!('x'), DTypeError, 'x'],
  ['matmul with null', () => method(matrix(), 'matmul', null), DTypeError, 'null'],
  ['concat with null', () => untyped['concat']!([vector(), null]), DTypeError, 'null'],
  ['cast of an array', () => untyped['cast']!([1], 'int32'), DTypeError, 'cast', 'array', 'tensor()'],
  ['dense of an array', () => untyped['dense']!([[1]], matrix()), DTypeError, 'dense', 'array'],
  ['cross-entropy of an array', () => untyped['softmaxCrossEntropy']!(matrix(), [0, 1]), DTypeError, 'softmaxCrossEntropy', 'array'],
  ['batchNorm of an array', () => untyped['batchNorm']!([[1]]), DTypeError, 'batchNorm', 'array'],
  ['layerNorm of an array', () => untyped['layerNorm']!([[1]]), DTypeError, 'layerNorm', 'array'],
  ['broadcastTo of an array', () => untyped['broadcastTo']!([1], [2]), DTypeError, 'broadcastTo', 'array'],
  ['zerosLike of an array', () => untyped['zerosLike']!([1]), DTypeError, 'zerosLike', 'array'],
]; // prettier-ignore

const values: readonly Bad[] = [
  ['gather beyond the end', () => matrix().gather([0, 2]), ValueError, 'index 2', '[1]', '0 to 1'],
  ['gather before the start', () => vector().gather([-1]), ValueError, '-1', '0 to 2'],
  ['gather at NaN', () => vector().gather([NaN]), ValueError, 'NaN'],
  ['gather from nothing', () => g.zeros([0]).gather([0]), ValueError, 'empty'],
  ['takeAlongAxis', () => matrix().takeAlongAxis([[0], [3]]), ValueError, 'index 3', '[1, 0]'],
  ['scatterAdd', () => vector().scatterAdd([3], [1]), ValueError, 'index 3', '0 to 2'],
  ['oneHot', () => g.oneHot([0, 3], 3), ValueError, 'label 3', '3 classes'],
  ['oneHot of −1 classes', () => g.oneHot([0], -1), ValueError, 'classes', '-1'],
  ['a label', () => g.softmaxCrossEntropy(matrix(), g.tensor([0, 3], { dtype: 'int32' })), ValueError, 'label 3', 'row 1', '3 classes'],
  ['a negative label', () => g.softmaxCrossEntropy(matrix(), g.tensor([-1, 0], { dtype: 'int32' })), ValueError, 'label -1', 'row 0'],
  ['a label that is NaN', () => g.softmaxCrossEntropy(matrix(), g.tensor([0, NaN])), ValueError, 'NaN', 'row 1'],
  ['a label that is a fraction', () => g.softmaxCrossEntropy(matrix(), g.tensor([1.5, 0])), ValueError, '1.5', 'row 0'],
  ['slice at a position', () => matrix().slice(2), ValueError, 'position 2', 'axis 0', 'size 2'],
  ['slice at NaN', () => matrix().slice(NaN), ValueError, 'NaN'],
  ['slice by step 0', () => vector().slice([0, 2, 0]), ValueError, 'step'],
  ['slice by text', () => method(vector(), 'slice', 'all'), ValueError, 'all'],
  ['slice by fractions', () => vector().slice([0.5, 2]), ValueError, '0.5'],
  ['slice of too many axes', () => vector().slice(0, 0), ShapeError, '[3]'],
  ['topK of more than there are', () => vector().topK(4), ValueError, 'k', '3', '4'],
  ['topK of −1', () => vector().topK(-1), ValueError, '-1'],
  ['clip', () => vector().clip(2, 1), ValueError, 'clip', '2', '1'],
  ['clip at NaN', () => vector().clip(NaN, 1), ValueError, 'NaN'],
  ['split into 0 parts', () => vector().split(0), ValueError, 'split', '0'],
  ['pad by −1', () => vector().pad(-1), ValueError, 'pad', '-1'],
  ['tile by −1', () => vector().tile(-1), ShapeError, 'tile', '-1'],
  ['elu', () => vector().elu(-1), ValueError, 'alpha', '-1'],
  ['celu', () => vector().celu(0), ValueError, 'alpha', '0'],
  ['norm', () => vector().norm(0, { order: 0.5 }), ValueError, 'order', '0.5'],
  ['variance', () => vector().variance(0, { correction: -1 }), ValueError, 'correction', '-1'],
  ['dropout of all', () => vector().dropout(1), ValueError, 'rate', '1'],
  ['dropout at NaN', () => vector().dropout(NaN), ValueError, 'rate', 'NaN'],
  ['gaussianNoise', () => vector().gaussianNoise(-1), ValueError, 'std', '-1'],
  ['layerNorm', () => g.layerNorm(matrix(), null, null, { epsilon: -1 }), ValueError, 'epsilon', '-1'],
  ['uniform between NaN and 1', () => g.uniform([2], { low: NaN }), ValueError, 'low', 'NaN'],
  ['bernoulli', () => g.bernoulli([2], { probability: 1.5 }), ValueError, 'probability', '1.5'],
  ['randint of nothing', () => g.randint([2], { high: 0 }), ValueError, 'high', '0'],
  ['a seed that is a fraction', () => { g.seed(0.5); }, ValueError, 'seed', '0.5'],
  ['dense with an unknown activation', () => untyped['dense']!(matrix(), g.ones([3, 2]), null, { name: 'step' }), ValueError, 'step'],
  ['setThreads(0)', () => { g.setThreads(0); }, ValueError, 'setThreads', '0'],
]; // prettier-ignore

const gradients: readonly Bad[] = [
  ['nothing to differentiate', () => { vector().sum().backward(); }, GradientError, 'requiresGrad'],
  ['of a vector', () => { leaf().mul(2).backward(); }, ShapeError, 'scalar', '[3]'],
  ['with another shape', () => { leaf().backward({ gradient: g.ones([2]) }); }, ShapeError, '[2]', '[3]'],
  ['twice', () => {
    const loss = leaf().square().sum();
    loss.backward();
    loss.backward();
  }, GradientError, 'freed', 'retainGraph'],
  ['behind a graph that was freed', () => {
    const middle = leaf().square();
    middle.sum().backward();
    middle.exp().sum().backward();
  }, GradientError, 'freed', 'square'],
  ['after the leaf changed', () => {
    const x = leaf();
    const loss = x.square().sum();
    x.assign(g.zeros([3]));
    loss.backward();
  }, GradientError, 'changed', 'square', '[3]'],
  ['after a view of it changed', () => {
    const x = leaf();
    const loss = x.exp().mul(x).sum();
    x.detach().slice([0, 1]).assign(g.zeros([1]));
    loss.backward();
  }, GradientError, 'changed'],
  ['after a saved value was freed', () => {
    const x = leaf();
    const y = x.exp();
    const loss = y.sum();
    y.dispose();
    loss.backward();
  }, GradientError, 'freed', 'exp'],
  ['outside the scope of the forward pass', () => {
    const x = leaf();
    const scope = new g.Scope();
    const loss = scope.keep(x.exp().square().sum());
    scope.end();
    loss.backward();
  }, GradientError, 'freed', 'scope'],
  ['of a result that is not a leaf', () => {
    const y = leaf().exp();
    y.requiresGrad = false;
  }, GradientError, 'exp', 'detach()'],
  ['assigning to a result', () => leaf().exp().assign(g.zeros([3])), GradientError, 'exp', 'copy()'],
  ['grad of a vector', () => g.grad((x: g.Tensor) => x.mul(2))(vector()), GradientError, '[3]'],
  ['grad of a number', () => g.grad(() => 1 as unknown as g.Tensor)(vector()), GradientError, 'number'],
  ['a custom operation with too few gradients', () => {
    const op = g.customOp<[g.Tensor, g.Tensor]>({
      name: 'half',
      forward: (_context, a, b) => a.add(b),
      backward: (_context, gradient) => [gradient],
    });
    op(leaf(), leaf()).sum().backward();
  }, GradientError, 'half', '1', '2'],
  ['a custom operation with a gradient of another shape', () => {
    const op = g.customOp<[g.Tensor]>({
      name: 'wide',
      forward: (_context, a) => a.mul(2),
      backward: () => [g.ones([2])],
    });
    op(leaf()).sum().backward();
  }, GradientError, 'wide', '[2]', '[3]'],
]; // prettier-ignore

const freed: readonly Bad[] = [
  ['reading', () => disposed().dataSync(), MemoryError, 'freed'],
  ['adding', () => vector().add(disposed()), MemoryError, 'freed'],
  ['a view', () => {
    const x = matrix();
    const row = x.slice(0);
    x.dispose();
    return row.sum();
  }, MemoryError, 'freed'],
  ['after its scope', () => {
    const scope = new g.Scope();
    const x = vector().sum();
    scope.end();
    return x.item();
  }, MemoryError, 'freed', 'keep'],
  ['values after its scope', () => {
    const scope = new g.Scope();
    const x = vector().mul(2);
    scope.end();
    return x.toArray();
  }, MemoryError, 'freed', 'keep'],
]; // prettier-ignore

function disposed(): g.Tensor {
  const x = vector();
  x.dispose();
  return x;
}

const kinds: readonly (readonly [string, readonly Bad[]])[] = [
  ['making tensors', creation],
  ['more memory than there is', sizes],
  ['shapes', shapes],
  ['axes', axes],
  ['dtypes', dtypes],
  ['values', values],
  ['gradients', gradients],
  ['freed memory', freed],
];

/** The error a call throws. */
function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe.each(devices)('on %s', (device) => {
  beforeAll(() => {
    setDevice(device);
  });

  describe.each(kinds)('%s', (_kind, list) => {
    it.each(list.map(([what, ...rest]) => ({ what, rest })))('$what', ({ rest }) => {
      const [call, type, ...words] = rest;
      const error = errorOf(call);
      expect(error).toBeInstanceOf(type);
      for (const word of words) expect((error as Error).message).toContain(word);
    });
  });
});

const [first, second] = devices;
if (second === undefined)
  console.log(`operands on two devices: not tested, there is only ${first}`);

describe.runIf(second !== undefined)('operands on two devices', () => {
  const here = (): g.Tensor => g.ones([2, 2], { device: first! });
  const there = (): g.Tensor => g.ones([2, 2], { device: second! });
  const labels = (): g.Tensor => g.zeros([2], { dtype: 'int32', device: second! });
  const calls: readonly (readonly [string, () => unknown])[] = [
    ['add', () => here().add(there())],
    ['matmul', () => here().matmul(there())],
    ['where', () => g.where(here(), there(), 0)],
    ['dense', () => g.dense(here(), there())],
    ['concat', () => g.concat([here(), there()])],
    ['stack', () => g.stack([here(), there()])],
    ['gather', () => here().gather(labels())],
    ['scatterAdd', () => here().scatterAdd([0, 1], there())],
    ['softmaxCrossEntropy', () => g.softmaxCrossEntropy(here(), labels())],
    ['batchNorm', () => g.batchNorm(here(), g.ones([2], { device: second! }))],
    ['layerNorm', () => g.layerNorm(here(), g.ones([2], { device: second! }))],
  ];

  it.each(calls)('%s', (_name, call) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toContain(`${first!} and ${second!}`);
  });
});
