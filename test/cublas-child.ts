/**
 * Products on the device that GRADLOOM_DEVICE names, compared with those of `js`: prints what the
 * device says of itself, then `wrong` and a product for each that is. Run by cublas.test.ts.
 */

import type { HostArray } from '../src/backends/backend.js';
import { backendOf } from '../src/backends/registry.js';
import { dense } from '../src/ops/dense.js';
import { matmul, setPrecision, tensor } from '../src/index.js';
import { Bench, Source } from './conformance/harness.js';

const name = process.env['GRADLOOM_DEVICE']!;
const [found, wanted] = [new Bench(backendOf(name)), new Bench(backendOf('js'))];
console.log(found.backend.describe());

function compare(label: string, one: HostArray, other: HostArray): void {
  const off = one.findIndex((x, i) => !(Math.abs(x - other[i]!) <= 1e-4));
  if (off >= 0) console.log(`wrong ${label}: element ${off} is ${one[off]}, not ${other[off]}`);
}

const sizes = [[1, 1, 1, 1], [1, 3, 5, 7], [1, 1, 9, 4], [1, 9, 1, 4], [1, 9, 4, 1], [3, 4, 5, 6],
  [2, 40, 33, 20], [1, 3, 4, 0]] as const; // prettier-ignore
for (const dtype of ['float32', 'float64'] as const) {
  for (const [batch, m, n, k] of sizes) {
    for (let flags = 0; flags < 16; flags++) {
      const strideB = flags & 8 ? 0 : k * n;
      const source = new Source(m + n + k);
      const a = source.values(dtype, batch * m * k);
      const b = source.values(dtype, batch * k * n);
      const initial = source.values(dtype, batch * m * n);
      const [one, other] = [found, wanted].map((bench) => {
        const out = bench.put(initial);
        bench.backend.matmul(
          out, bench.put(a), bench.put(b), batch, m, n, k, m * k, strideB,
          (flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0,
        ); // prettier-ignore
        return bench.get(out);
      });
      compare(`${dtype} ${batch} ${m} ${n} ${k} flags ${flags}`, one!, other!);
    }
  }
}

// A layer forward and backward: bias and activation are ours.
const values = [
  new Source(1).values('float32', 6 * 5),
  new Source(2).values('float32', 5 * 4),
  new Source(3).values('float32', 4),
];
const shapes = [[6, 5], [5, 4], [4]]; // prettier-ignore
const [here, there] = [name, 'js'].map((device) => {
  const [x, w, bias] = values.map((each, i) =>
    tensor(each, { shape: shapes[i]!, device, requiresGrad: true }),
  );
  const y = dense(x!, w!, bias, { name: 'elu', p: 1 });
  y.square().sum().backward();
  return [y, x!.grad!, w!.grad!, bias!.grad!].map((each) => each.dataSync());
});
here!.forEach((each, i) => compare(`dense ${i}`, each, there![i] as HostArray));

for (const precision of ['tf32', 'float16', 'bfloat16'] as const) {
  setPrecision(precision);
  const one = tensor([[1]], { device: name });
  matmul(one, one).dataSync();
}
