/** Method forms: the same operations as the functions, typed by dtype. */

import { describe, expect, expectTypeOf, it } from 'vitest';

import * as gradloom from '../src/index.js';
import { backward, ones, Tensor, tensor } from '../src/index.js';
import type { Sorted } from '../src/index.js';

type Operation = (...args: unknown[]) => unknown;
const functions = gradloom as unknown as Readonly<Record<string, unknown>>;
const methods = Tensor.prototype as unknown as Readonly<Record<string, unknown>>;
const names = Object.entries(Object.getOwnPropertyDescriptors(Tensor.prototype))
  .filter(([name, { value }]) => typeof value === 'function' && name in functions)
  .map(([name]) => name);

/** Operations on a tensor without a method: the first argument has no special place in them. */
const functionsOnly = [
  'where', 'concat', 'stack', 'dense', 'softmaxCrossEntropy', 'batchNorm', 'batchNormInference',
  'layerNorm', 'oneHot',
]; // prettier-ignore

const opModules = [
  'broadcast', 'cast', 'dense', 'dropout', 'elementwise', 'gather', 'matmul', 'move', 'normalize',
  'reduce', 'slice', 'softmax', 'sort', 'statistics',
]; // prettier-ignore

describe('methods', () => {
  it('are there for every operation whose first argument is what is operated on', async () => {
    const missing: string[] = [];
    for (const module of opModules) {
      const exported = (await import(`../src/ops/${module}.ts`)) as Record<string, unknown>;
      const operations = Object.keys(exported).filter((name) => functions[name] === exported[name]);
      expect(operations.length, module).toBeGreaterThan(0);
      missing.push(...operations.filter((name) => !names.includes(name)));
    }
    expect([...new Set(missing)].sort()).toEqual([...functionsOnly].sort());
  });

  it('pass on all arguments', () => {
    const x = tensor([[3, 1], [2, 4]]); // prettier-ignore
    expect(x.sum(0, { keepDims: true }).toArray()).toEqual([[5, 5]]);
    expect(x.clip(2, 3).toArray()).toEqual(gradloom.clip(x, 2, 3).toArray());
    expect(x.slice(1, [0, 1]).toArray()).toEqual([2]);
    expect(x.scatterAdd([0], [[1, 1]]).toArray()).toEqual([[4, 2], [2, 4]]); // prettier-ignore
    expect(x.matmul(x, { transposeB: true }).toArray()).toEqual([[10, 10], [10, 20]]); // prettier-ignore
    expect(x.topK(1).indices.toArray()).toEqual([[0], [1]]);
    expect(x.split(2).map((part) => part.toArray())).toEqual([[[3, 1]], [[2, 4]]]);
    expect(x.cast('int32').dtype).toBe('int32');
    expect(x.broadcastTo([2, 2, 2]).shape).toEqual([2, 2, 2]);
  });

  it('do not show up when a tensor is listed', () => {
    expect(Object.keys(ones([1]))).not.toContain('add');
    const listed: string[] = [];
    for (const key in ones([1])) listed.push(key);
    expect(listed).not.toContain('add');
  });

  it('backward is the function', () => {
    const x = tensor([2], { requiresGrad: true });
    x.square().sum().backward();
    const y = tensor([2], { requiresGrad: true });
    backward(y.square().sum());
    expect(x.grad!.toArray()).toEqual(y.grad!.toArray());
  });

  it.each(names.filter((name) => name !== 'backward'))(
    '%s refuses what the function refuses',
    (name) => {
      const x = ones([2, 2]);
      const outcome = (call: () => unknown): unknown => {
        try {
          return String(call());
        } catch (error) {
          return error;
        }
      };
      const nonsense = { not: 'an argument' };
      const byFunction = outcome(() => (functions[name] as Operation)(x, nonsense, nonsense));
      const byMethod = outcome(() => (methods[name] as Operation).call(x, nonsense, nonsense));
      if (!/dropout|noise/i.test(name)) expect(byMethod).toEqual(byFunction);
    },
  );
});

describe('types', () => {
  it('follow the dtype', () => {
    const float = tensor([1, 2]);
    const double = tensor([1, 2], { dtype: 'float64' });
    const integer = tensor([1, 2], { dtype: 'int32' });
    const truth = tensor([true, false]);
    expectTypeOf(float.reshape([2, 1])).toEqualTypeOf<Tensor<'float32'>>();
    expectTypeOf(float.exp()).toEqualTypeOf<Tensor<'float32'>>();
    expectTypeOf(double.exp().mean()).toEqualTypeOf<Tensor<'float64'>>();
    expectTypeOf(integer.exp()).toEqualTypeOf<Tensor<'float32'>>();
    expectTypeOf(integer.sum()).toEqualTypeOf<Tensor<'int32'>>();
    expectTypeOf(truth.sum()).toEqualTypeOf<Tensor<'int32'>>();
    expectTypeOf(truth.max()).toEqualTypeOf<Tensor<'bool'>>();
    expectTypeOf(float.add(1)).toEqualTypeOf<Tensor<'float32'>>();
    expectTypeOf(float.add(double)).toEqualTypeOf<Tensor<'float64'>>();
    expectTypeOf(integer.mul(integer)).toEqualTypeOf<Tensor<'int32'>>();
    expectTypeOf(truth.add(truth)).toEqualTypeOf<Tensor<'int32'>>();
    expectTypeOf(integer.div(2)).toExtend<Tensor>();
    expectTypeOf(float.greater(0)).toEqualTypeOf<Tensor<'bool'>>();
    expectTypeOf(float.argMax()).toEqualTypeOf<Tensor<'int32'>>();
    expectTypeOf(double.topK(1)).toEqualTypeOf<Sorted<'float64'>>();
    expectTypeOf(float.cast('uint8').dataSync()).toEqualTypeOf<Uint8Array>();
    expectTypeOf(tensor(true).item()).toEqualTypeOf<boolean>();
    expectTypeOf(float).toExtend<Tensor>();
    // What the types say is what there is.
    expect(integer.exp().dtype).toBe('float32');
    expect(truth.sum().dtype).toBe('int32');
    expect(truth.max().dtype).toBe('bool');
    expect(truth.add(truth).dtype).toBe('int32');
    expect(float.add(double).dtype).toBe('float64');
    expect(integer.mul(integer).dtype).toBe('int32');
  });
});
