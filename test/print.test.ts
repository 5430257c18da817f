/** Printing: exactly what numpy prints (golden/prints.json), and tensors as inspected. */

import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { ones, tensor, zeros } from '../src/index.js';
import type { DType } from '../src/index.js';
import { typedArrayOn } from '../src/backends/dtype.js';
import { printTensor } from '../src/tensor/print.js';
import { sizeOf } from '../src/tensor/shape.js';
import { golden } from './golden.js';

interface Print {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
  readonly text: string;
}

const { by, records } = golden('prints') as { by: string; records: Print[] };

describe(`printing as ${by}`, () => {
  it.each(records.map((each, i) => [i, each.dtype, each.shape, each] as const))(
    '%i: %s %j',
    (_, dtype, shape, { data, text }) => {
      const { buffer } = Uint8Array.from(Buffer.from(data, 'base64'));
      const values = typedArrayOn(dtype, buffer, 0, sizeOf(shape));
      expect(printTensor(values, shape, dtype)).toBe(text);
    },
  );
});

describe('inspecting', () => {
  it('says shape, dtype and device, and whether gradients are wanted', () => {
    const x = tensor([[1, 2]], { requiresGrad: true, device: 'js' });
    expect(inspect(x)).toBe('Tensor [1, 2] float32 js requiresGrad\n[[1. 2.]]');
    expect(String(ones([2], { device: 'js' }))).toBe('[1. 1.]');
  });

  it('says that a tensor was freed', () => {
    const x = zeros([3], { device: 'js' });
    x.dispose();
    expect(inspect(x)).toBe('Tensor [3] (freed)');
  });
});
