/** Weights of one model in another: what matches, what is reported, what is refused. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FileError, io, layers, loadModel, seed, Sequential, tensor, ValueError } from 'gradloom';
import type { Model, Tensor } from 'gradloom';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

const { BatchNormalization, Dense } = layers;

const folder = mkdtempSync(join(tmpdir(), 'gradloom-weights-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

beforeEach(() => {
  seed(7);
});

/** Dense layers of these sizes, each with a name of its own. */
function stack(sizes: readonly number[], names: readonly string[]): Sequential {
  const inputShape = [4];
  return new Sequential(
    sizes.map(
      (size, i) => new Dense(size, { name: names[i]!, ...(i === 0 ? { inputShape } : {}) }),
    ),
  );
}

const values = (model: Model): unknown => model.weights.map(({ value }) => value.toArray());

describe('in order', () => {
  test('names do not matter, shapes do', async () => {
    const from = stack([3, 2], ['a', 'b']);
    await from.saveWeights(file('order'));
    const into = stack([3, 2], ['c', 'd']);
    const report = await into.loadWeights(file('order'));
    expect(report).toEqual({
      loaded: ['c/kernel', 'c/bias', 'd/kernel', 'd/bias'],
      missing: [],
      unexpected: [],
      mismatched: [],
    });
    expect(values(into)).toEqual(values(from));
  });

  test('another architecture is refused, naming what differs, and nothing has changed', async () => {
    await stack([3, 2], ['a', 'b']).saveWeights(file('other'));
    const into = stack([3, 5, 2], ['a', 'x', 'b']);
    const before = values(into);
    const loading = into.loadWeights(file('other'));
    await expect(loading).rejects.toThrow(FileError);
    await expect(loading).rejects.toThrow(
      'of the layers with weights, number 2 is x (kernel [3, 5], bias [5]) in the model and ' +
        'b (kernel [3, 2], bias [2]) in the file; the model has 3, the file 2. Weight by weight: ' +
        'x/kernel is float32 [3, 5] in the model and float32 [3, 2] in the file (b/kernel); ' +
        'x/bias is float32 [5] in the model and float32 [2] in the file (b/bias); ' +
        'b/kernel is not in the file; b/bias is not in the file. Use byName',
    );
    expect(values(into)).toEqual(before);
  });

  test('skipMismatch loads the rest and says what was left out', async () => {
    const from = stack([3, 2], ['a', 'b']);
    await from.saveWeights(file('skip'));
    const into = stack([3, 5], ['a', 'b']);
    const before = into.weights[2]!.value.toArray();
    const report = await into.loadWeights(file('skip'), { skipMismatch: true });
    expect(report.loaded).toEqual(['a/kernel', 'a/bias']);
    expect(report.mismatched.map(({ name, expected, found }) => [name, expected, found])).toEqual([
      ['b/kernel', 'float32 [3, 5]', 'float32 [3, 2]'],
      ['b/bias', 'float32 [5]', 'float32 [2]'],
    ]);
    expect(into.weights[0]!.value.toArray()).toEqual(from.weights[0]!.value.toArray());
    expect(into.weights[2]!.value.toArray()).toEqual(before);
  });
});

describe('by name', () => {
  test('transfers what has the same name', async () => {
    const from = stack([3, 4, 2], ['a', 'b', 'head']);
    await from.saveWeights(file('names'));
    const into = stack([3, 4, 7, 5], ['a', 'b', 'new', 'last']);
    const report = await into.loadWeights(file('names'), { byName: true });
    expect(report).toEqual({
      loaded: ['a/kernel', 'a/bias', 'b/kernel', 'b/bias'],
      missing: ['new/kernel', 'new/bias', 'last/kernel', 'last/bias'],
      unexpected: ['head/kernel', 'head/bias'],
      mismatched: [],
    });
  });

  test('the same name with another shape is refused, unless mismatches are skipped', async () => {
    await stack([3, 2], ['a', 'b']).saveWeights(file('shapes'));
    const into = stack([3, 9], ['a', 'b']);
    await expect(into.loadWeights(file('shapes'), { byName: true })).rejects.toThrow(
      /b\/kernel is float32 \[3, 9\] in the model and float32 \[3, 2\] in the file; .*skipMismatch/,
    );
    const both = { byName: true, skipMismatch: true };
    const report = await into.loadWeights(file('shapes'), both);
    expect(report.loaded).toEqual(['a/kernel', 'a/bias']);
  });

  test('nothing in common is an error, not a silent nothing', async () => {
    await stack([3], ['a']).saveWeights(file('nothing'));
    const into = stack([3], ['z']);
    await expect(into.loadWeights(file('nothing'), { byName: true })).rejects.toThrow(
      /z\/kernel is not in the file/,
    );
  });
});

test('statistics of batch normalization are weights too, optimizer state is not', async () => {
  const make = (): Sequential =>
    new Sequential([new Dense(3, { inputShape: [4] }), new BatchNormalization()]).compile({
      optimizer: 'adam',
      loss: 'mse',
    });
  const from = make();
  const x = tensor(
    new Float32Array(32).map((_, i) => i % 5),
    { shape: [8, 4] },
  );
  from.trainOnBatch(x, tensor(new Float32Array(24), { shape: [8, 3] }));
  await from.save(file('whole'));
  const into = make();
  const report = await into.loadWeights(file('whole'));
  expect(report.loaded).toHaveLength(6);
  expect(report.unexpected).toEqual([]);
  expect(values(into)).toEqual(values(from));
  expect(into.optimizer.iterations).toBe(0);
});

describe('files of other programs', () => {
  const foreign = (tensors: Record<string, Tensor>): Promise<void> =>
    io.writeSafetensors(file('foreign'), tensors);

  test('are matched by name, float dtypes converted; every weight must be found', async () => {
    const kernel = tensor(
      Float64Array.from({ length: 8 }, (_, i) => i + 0.1),
      { shape: [4, 2] },
    );
    const bias = tensor([5, 6]);
    await foreign({ 'a/kernel': kernel, 'a/bias': bias });
    const into = stack([2], ['a']);
    const report = await into.loadWeights(file('foreign'));
    expect(report.loaded).toEqual(['a/kernel', 'a/bias']);
    expect(into.weights[0]!.value.dataSync()).toEqual(Float32Array.from(kernel.dataSync()));
    await foreign({ 'a/kernel': kernel });
    await expect(into.loadWeights(file('foreign'))).rejects.toThrow(/a\/bias is not in the file/);
    await expect(into.loadWeights(file('foreign'), { byName: true })).resolves.toMatchObject({
      missing: ['a/bias'],
    });
  });

  test('whole numbers are no weights', async () => {
    await foreign({
      'a/kernel': tensor(new Int32Array(8), { shape: [4, 2] }),
      'a/bias': tensor([1, 2]),
    });
    await expect(stack([2], ['a']).loadWeights(file('foreign'))).rejects.toThrow(
      /a\/kernel is float32 \[4, 2\] in the model and int32 \[4, 2\] in the file/,
    );
  });

  test('are no models', async () => {
    await foreign({ a: tensor([1]) });
    await expect(loadModel(file('foreign'))).rejects.toThrow(/but not of a gradloom model/);
  });
});

test('two weights of one name cannot be saved; nor can a model that is not built', async () => {
  const twins = stack([3, 3], ['a', 'b']);
  const inner = new Sequential([new Dense(2, { name: 'x', inputShape: [2] })], { name: 'm' });
  const same = new Sequential([new Dense(2, { name: 'm/x', inputShape: [2] }), inner]);
  await expect(same.saveWeights(file('twins'))).rejects.toThrow(/two weights named m\/x\/kernel/);
  await twins.saveWeights(file('twins'));
  await expect(new Sequential([new Dense(2)]).saveWeights(file('unbuilt'))).rejects.toThrow(
    ValueError,
  );
});

// ---- damaged and hostile files ------------------------------------------------------------------

/** The record of a saved model, changed, in a file of its own. */
async function tampered(change: (record: Record<string, unknown>) => unknown): Promise<string> {
  const model = stack([3, 2], ['a', 'b']).compile({ optimizer: 'adam', loss: 'mse' });
  model.trainOnBatch(tensor([[1, 2, 3, 4]]), tensor([[1, 0]]));
  await model.save(file('good'));
  const { tensors, metadata } = await io.readSafetensors(file('good'));
  const record = JSON.parse(metadata.get('gradloom')!) as Record<string, unknown>;
  const changed = change(record);
  const text = typeof changed === 'string' ? changed : JSON.stringify(changed);
  await io.writeSafetensors(file('tampered'), tensors, { gradloom: text });
  return file('tampered');
}

const dense = (config: object): object => ({
  className: 'Sequential',
  config: {
    name: 'm',
    layers: [
      { className: 'Dense', config: { name: 'a', units: 3, inputShape: [4] } },
      { className: 'Dense', config: { name: 'b', units: 2, ...config } },
    ],
  },
});

const attacks: Record<string, [change: (record: Record<string, unknown>) => unknown, RegExp]> = {
  'no JSON': [() => '{"version":1,', /is no JSON/],
  'no object': [() => '7', /lacks version and weights/],
  'a newer version': [(r) => ({ ...r, version: 2 }), /version 2; this gradloom reads up to 1/],
  'no weights': [(r) => ({ ...r, weights: undefined }), /lacks version and weights/],
  'weights that are no strings': [(r) => ({ ...r, weights: [1] }), /lacks version and weights/],
  'a weight it does not hold': [
    (r) => ({ ...r, weights: ['a/kernel', 'c'] }),
    /names the weight c/,
  ],
  'weights only': [(r) => ({ ...r, model: undefined }), /holds weights only/],
  'a layer for a model': [
    (r) => ({ ...r, model: { className: 'Dense', config: { units: 2 } } }),
    /holds the layer .*, not a model/,
  ],
  'an unknown class': [
    (r) => ({ ...r, model: { className: 'Sequental', config: {} } }),
    /Did you mean "Sequential"\?.*registerLayer/,
  ],
  'a class named like a method': [
    (r) => ({ ...r, model: { className: 'constructor', config: {} } }),
    /no layer named "constructor"/,
  ],
  'an abstract class': [
    (r) => ({ ...r, model: { className: 'Layer', config: {} } }),
    /holds the layer|no layer named/,
  ],
  'no layers': [
    (r) => ({ ...r, model: { className: 'Sequential', config: {} } }),
    /expected a list of layers, got undefined/,
  ],
  'no config': [
    (r) => ({ ...r, model: { className: 'Sequential', config: null } }),
    /expected a layer's|cannot be made/,
  ],
  'layers that are none': [
    (r) => ({ ...r, model: { className: 'Sequential', config: { layers: [1, null] } } }),
    /expected a layer's \{ className, config \}, got 1/,
  ],
  'a number for a name': [(r) => ({ ...r, model: dense({ name: 7 }) }), /name of a Dense is 7/],
  'units that are no number': [(r) => ({ ...r, model: dense({ units: 'x' }) }), /units must be/],
  'terabytes of weights': [
    (r) => ({ ...r, model: dense({ units: 1e12 }) }),
    /layer b has a weight of shape \[3, 1000000000000\], more than there are values for/,
  ],
  'an infinite shape': [
    (r) => ({
      ...r,
      model: {
        className: 'Sequential',
        config: {
          layers: [{ className: 'Flatten', config: { inputShape: [1e300, 1e300] } }, dense({})],
        },
      },
    }),
    /cannot load/,
  ],
  'a hundred thousand models within models': [
    (r) =>
      JSON.stringify({ ...r, model: 'HERE' }).replace(
        '"HERE"',
        '{"className":"Sequential","config":{"layers":['.repeat(100_000) + ']}}'.repeat(100_000),
      ),
    /cannot load|cannot be made|is no JSON/,
  ],
  'another architecture': [
    (r) => ({ ...r, model: dense({ units: 1 }) }),
    /b\/kernel is float32 \[3, 1\]/,
  ],
  'an unknown optimizer': [
    (r) => ({ ...r, compile: { ...(r['compile'] as object), optimizer: 'Adem' } }),
    /no optimizer named "Adem"\. Did you mean "adam"/,
  ],
  'an unknown loss': [
    (r) => ({ ...r, compile: { loss: [{ className: 'X', config: {} }] } }),
    /no loss named "X"/,
  ],
  'compile that is no object': [(r) => ({ ...r, compile: 7 }), /cannot load/],
  'another optimizer': [
    (r) => ({ ...r, compile: { ...(r['compile'] as object), optimizer: 'sgd' } }),
    /it is of another optimizer/,
  ],
  'steps that are no number': [
    (r) => ({ ...r, training: { epochsSeen: 0, optimizer: { iterations: 'many' } } }),
    /not made of numbers/,
  ],
  'epochs below 0': [
    (r) => ({ ...r, training: { epochsSeen: -1, optimizer: { iterations: 1 } } }),
    /not made of numbers/,
  ],
};

test.each(Object.entries(attacks))('%s is refused', async (_, [change, message]) => {
  const path = await tampered(change);
  const before = process.memoryUsage().arrayBuffers;
  const loading = loadModel(path);
  await expect(loading).rejects.toThrow(FileError);
  await expect(loading).rejects.toThrow(message);
  await expect(loading).rejects.toThrow(path);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
});

test('a config that reaches for the prototype of all objects is refused', async () => {
  const path = await tampered((record) =>
    JSON.stringify(record).replace('"units"', '"__proto__":{"polluted":1},"units"'),
  );
  await expect(loadModel(path)).rejects.toThrow(/no option of Dense named "__proto__"/);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('a file cut off anywhere is refused', async () => {
  await stack([3, 2], ['a', 'b']).save(file('cut'));
  const content = readFileSync(file('cut'));
  for (let length = 0; length < content.length; length += 37) {
    writeFileSync(file('short'), content.subarray(0, length));
    await expect(loadModel(file('short'))).rejects.toThrow(FileError);
  }
});

test('a thousand damaged models give a model or a FileError', async () => {
  const model = new Sequential([
    new Dense(3, { inputShape: [4], activation: 'relu', kernelRegularizer: 'l2' }),
    new BatchNormalization(),
    new layers.Dropout(0.5),
    new Dense(2),
  ]).compile({ optimizer: 'nadam', loss: 'mse', metrics: ['mae'] });
  model.trainOnBatch(tensor([[1, 2, 3, 4]]), tensor([[1, 0]]));
  await model.save(file('sound'));
  const good = readFileSync(file('sound'));
  const header = Number(good.readBigUInt64LE(0));
  let state = 2463534242;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const alphabet = Buffer.from('0123456789-.eE"{}[]:,\\ truefalsn_/');
  const found = { models: 0, refused: 0 };
  for (let round = 0; round < 1000; round++) {
    const bad = Buffer.from(good);
    for (let n = 1 + random(2); n > 0; n--)
      bad[8 + random(header)] = alphabet[random(alphabet.length)]!;
    writeFileSync(file('damaged'), bad);
    try {
      await loadModel(file('damaged'));
      found.models++;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      found.refused++;
    }
  }
  expect(found.refused).toBeGreaterThan(300);
  expect(found.models).toBeGreaterThan(0);
});
