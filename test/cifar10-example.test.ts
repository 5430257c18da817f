/** The training script of examples/cifar10, whole, on a handful of random images. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';

import { columnsFor, comparisonTable, median, summarize } from '../examples/cifar10/comparison.js';
import { experiments } from '../examples/cifar10/experiments.js';
import { judge } from '../examples/cifar10/judging.js';
import { options } from '../examples/cifar10/options.js';
import type { Values } from '../examples/cifar10/options.js';
import { answersTo, reaches } from '../examples/cifar10/report/answers.js';
import { confusionOf } from '../examples/cifar10/report/mistakes.js';
import { retainedAccuracy } from '../examples/cifar10/report/uncertainty.js';
import type { Result } from '../examples/cifar10/results.js';
import { runAll } from '../examples/cifar10/runs.js';
import { randint, seed, tensor } from '../src/index.js';
import type { datasets } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-cifar10-'));
const names = experiments.map(({ name }) => name);
let printed = '';

seed(1);
const part = (count: number): datasets.Dataset => ({
  x: randint([count, 32, 32, 3], { high: 256 }).cast('uint8'),
  y: randint([count], { high: 10 }).cast('uint8'),
});
const data: datasets.Cifar10Datasets = {
  train: part(96),
  validation: part(40),
  test: part(60),
  classNames: Array.from({ length: 10 }, (_, i) => `class ${i}`),
};

/** Runs with these flags; `signal` interrupts. */
function runWith(flags: readonly string[], signal = new AbortController().signal) {
  return runAll(options([...flags, '--out', folder]).values, data, signal);
}

beforeAll(() => {
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed += `${line}\n`;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});

afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('all experiments with two seeds', () => {
  const flags = ['--experiment', 'all', '--seeds', '1,2', '--epochs', '2'];
  const file = (...path: string[]): string => join(folder, ...path);
  let results: Result[];
  let report: string;

  beforeAll(async () => {
    results = await runWith(flags);
    report = readFileSync(file('report.html'), 'utf8');
  }, 120_000);

  it('runs each of them with each seed', () => {
    const done = results.map(({ settings }) => `${settings.experiment} ${settings.seed}`);
    expect(done).toEqual([1, 2].flatMap((each) => names.map((name) => `${name} ${each}`)));
    for (const { history, settings, validation, test } of results) {
      const trained = settings.experiment !== 'mc-dropout';
      expect(history['seconds']?.length).toBe(trained ? 2 : undefined);
      expect(validation.classes).toHaveLength(40);
      expect(test.classes).toHaveLength(60);
    }
  });

  it('leaves checkpoints, logs and results in a folder of each', () => {
    const run = 'selu-2-epochs-2';
    const rows = readFileSync(file(run, 'history.csv'), 'utf8').trim().split('\n');
    expect(rows[0]).toMatch(/^epoch,accuracy,.*val_accuracy/);
    expect(rows).toHaveLength(3);
    expect(statSync(file(run, 'model.safetensors')).size).toBeGreaterThan(1e6);
    expect(existsSync(file(run, 'tensorboard', 'train'))).toBe(true);
    expect(existsSync(file(run, 'backup.safetensors'))).toBe(false);
    const kept = JSON.parse(readFileSync(file(run, 'result.json'), 'utf8')) as unknown;
    expect(kept).toEqual(
      results.find(({ settings }) => settings.experiment === 'selu' && settings.seed === 2),
    );
    expect(JSON.parse(readFileSync(file('results.json'), 'utf8'))).toEqual(results);
  });

  it('asks the trained net again for Monte-Carlo dropout, with other answers', () => {
    const [once, often] = ['alpha-dropout', 'mc-dropout'].map((name) =>
      results.find(({ settings }) => settings.experiment === name)!,
    );
    expect(often!.bestEpoch).toBeNull();
    expect(often!.test.entropies).not.toEqual(once!.test.entropies);
    // Averages of the same net's answers: far nearer than another net's.
    expect(Math.abs(often!.test.loss - once!.test.loss)).toBeLessThan(0.3);
  });

  it('1cycle has its last weights', () => {
    const found = results.filter(({ settings }) => settings.experiment === '1cycle');
    expect(found.map(({ bestEpoch }) => bestEpoch)).toEqual([2, 2]);
    expect(found[0]!.settings.batchSize).toBe(64);
  });

  it('prints a table with a row of medians for each', () => {
    const table = comparisonTable(summarize(results)).split('\n');
    expect(table).toHaveLength(1 + names.length + 1);
    expect(table.slice(1, -1).map((line) => line.split(' ')[0])).toEqual(names);
    expect(printed).toContain(table.join('\n'));
    const plain = results.filter(({ settings }) => settings.experiment === 'plain');
    const middle = (plain[0]!.validation.accuracy + plain[1]!.validation.accuracy) / 2;
    expect(table[1]).toContain(middle.toFixed(4));
  });

  it('writes one page that needs nothing from elsewhere', () => {
    for (const name of names) expect(report).toContain(`<td class="words">${name}</td>`);
    for (const { question } of answersTo(summarize(results))) expect(report).toContain(question);
    const outside = [...report.matchAll(/(?:src|href)="([^"]*)"|url\(([^)]*)\)/g)];
    expect(outside.filter(([, source]) => !source?.startsWith('data:image/png;base64,'))).toEqual(
      [],
    );
    // Images may spell anything.
    const words = report.replaceAll(/base64,[^"]*/g, '');
    expect(words).not.toMatch(/<script|<link|NaN|undefined|Infinity/);
    expect([...report.matchAll(/<svg /g)]).toHaveLength([...report.matchAll(/<\/svg>/g)].length);
    // Every trained run's curve, in four charts.
    expect([...report.matchAll(/<title>plain, seed 2<\/title>/g)]).toHaveLength(4);
    // The finder's curve of every net that is trained.
    const searched = names.filter((name) => name !== 'mc-dropout');
    expect([...report.matchAll(/<title>smoothed<\/title>/g)]).toHaveLength(searched.length);
    for (const name of searched) expect(report).toContain(`${name}: suggested `);
    expect([...report.matchAll(/<img /g)].length).toBeGreaterThan(10);
    expect(report).toContain('Change of each matrix in a step');
  });

  it('does not repeat what is finished', async () => {
    printed = '';
    const before = statSync(file('selu-2-epochs-2', 'model.safetensors')).mtimeMs;
    expect(await runWith(flags)).toEqual(results);
    expect(printed.match(/finished earlier/g)).toHaveLength(2 * names.length);
    expect(statSync(file('selu-2-epochs-2', 'model.safetensors')).mtimeMs).toBe(before);
  });

  it('trains again what is asked for, with the same outcome', async () => {
    const [again] = await runWith(['--seed', '1', '--epochs', '2', '--again']);
    expect({ ...again!, history: null }).toEqual({ ...results[0]!, history: null });
    expect(again!.history['val_loss']).toEqual(results[0]!.history['val_loss']);
    expect(again!.history['seconds']).not.toEqual(results[0]!.history['seconds']);
  });
});

test('an interrupted run is gone on with and ends as the unbroken one', async () => {
  const flags = ['--experiment', 'plain,selu', '--epochs', '4', '--seed', '5'];
  const unbroken = await runWith([...flags, '--again']);
  rmSync(join(folder, 'selu-5-epochs-4'), { recursive: true });

  // Aborted from the moment the second epoch has its row.
  const log = join(folder, 'selu-5-epochs-4', 'history.csv');
  const signal = new AbortController().signal;
  Object.defineProperty(signal, 'aborted', {
    get: () => existsSync(log) && readFileSync(log, 'utf8').split('\n').length > 3,
  });
  const first = await runWith(flags, signal);
  expect(first.map(({ settings }) => settings.experiment)).toEqual(['plain']);
  expect(printed).toContain('interrupted');
  expect(existsSync(join(folder, 'selu-5-epochs-4', 'backup.safetensors'))).toBe(true);
  const [plain, selu] = await runWith(flags);
  expect(plain).toEqual(unbroken[0]);
  expect(selu!.validation).toEqual(unbroken[1]!.validation);
  expect(selu!.history['loss']).toEqual(unbroken[1]!.history['loss']);
  expect(selu!.health).toEqual(unbroken[1]!.health);
});

describe('the command line', () => {
  const values = (...args: string[]): Values => options(args).values;

  it('with nothing is the first experiment as it is', () => {
    const { experiments: chosen, seeds, suffix, out } = values();
    expect(chosen.map(({ name }) => name)).toEqual(['plain']);
    expect([seeds, suffix, out]).toEqual([[7], '', 'runs']);
  });

  it('reads lists, and names folders by what changes the result', () => {
    expect(values('--seeds', '3,1,3').seeds).toEqual([3, 1]);
    expect(values('--experiment', 'selu,1cycle').experiments).toHaveLength(2);
    expect(values('--limit', '300', '--threads', '2', '--epochs=4').suffix).toBe(
      '-epochs-4-limit-300',
    );
  });

  it.each([
    [['--experimnt', 'all'], /--experimnt; did you mean --experiment\?/],
    [['--batchsize', '3'], /did you mean --batch-size\?/],
    [['--experiment', 'batchnorm'], /Did you mean "batch-norm"\?/],
    [['--epochs', '0'], /--epochs must be a whole number, 1 or more, not "0"/],
    [['--seeds', '1,x'], /whole number.*"x"/],
    [['--seed', '1', '--seeds', '2'], /--seed or --seeds/],
    [['--epochs'], /--epochs/],
    [['selu'], /selu/],
  ])('%j is refused in words', (args, message) => {
    expect(() => options(args)).toThrow(message);
  });

  it('is what the program goes by', () => {
    const root = fileURLToPath(new URL('../', import.meta.url));
    const run = (...args: string[]): string => {
      const program = ['--import', 'tsx', 'examples/cifar10/train.ts', ...args];
      return execFileSync(process.execPath, program, {
        cwd: root,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    };
    expect(run('--help')).toContain(names.join(', '));
    expect(() => run('--sead', '3')).toThrow(/did you mean --seed/);
  });
});

describe('the figures', () => {
  it('medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([1, null, 4])).toBe(2.5);
    expect(median([null])).toBeNull();
  });

  it('judgement of probabilities', () => {
    const p = tensor([
      [0.5, 0.25, 0.25],
      [0, 1, 0],
    ]);
    const judged = judge(p, tensor([1, 1]));
    expect(judged).toMatchObject({ accuracy: 0.5, classes: [0, 1], confidences: [0.5, 1] });
    expect(judged.loss).toBeCloseTo(Math.log(4) / 2, 6);
    expect(judged.entropies[0]).toBeCloseTo(1.5 * Math.LN2, 4);
    expect(judged.entropies[1]).toBe(0);
  });

  it('confusion and certainty', () => {
    expect(confusionOf([0, 0, 1], [0, 1, 1], 2)).toEqual([
      [1, 1],
      [0, 1],
    ]);
    const classes = Array.from({ length: 40 }, (_, i) => Number(i % 2 === 0 && i > 20));
    const entropies = classes.map((wrong, i) => wrong + i / 100);
    const labels = new Array<number>(40).fill(0);
    const judged = { accuracy: 0, loss: 0, classes, confidences: [], entropies };
    const points = retainedAccuracy(judged, labels);
    const wrong = classes.filter((each) => each === 1).length;
    // Certain answers are right here: keeping those alone is perfect, keeping all is not.
    expect(points[0]).toEqual([0.05, 1]);
    expect(points.at(-1)).toEqual([1, 1 - wrong / 40]);
  });

  it('answers follow from them', () => {
    const [low, high] = ['plain', 'batch-norm'].map((name, better) =>
      resultLike(name, better ? [0.4, 0.5] : [0.2, 0.3, 0.4], better ? 2 : 1),
    );
    const [plain, normalized] = summarize([low!, high!]);
    expect(reaches(normalized!, 0.4)).toEqual({ epochs: 1, seconds: 2 });
    expect(reaches(plain!, 0.41)).toBeNull();
    const [converges, better, cost, ...others] = answersTo([plain!, normalized!]);
    expect(converges!.answer).toMatch(/^In epochs: yes; in time: yes\. .* after 1 epoch \(2.0 s\)/);
    expect(better!.answer).toMatch(/^Yes: 50.0 % .* against 40.0 %/);
    expect(cost!.answer).toMatch(/100 % more/);
    expect(others).toEqual([]);
    expect(columnsFor([plain!]).map(({ title }) => title)).not.toContain('of each seed');
  });
});

/** A result with these validation accuracies, epochs taking so many seconds. */
function resultLike(experiment: string, accuracies: readonly number[], seconds: number): Result {
  const accuracy = accuracies.at(-1)!;
  const judgement = { accuracy, loss: 1, classes: [], confidences: [], entropies: [] };
  return {
    settings: { experiment, learningRate: 1 } as Result['settings'],
    history: {
      loss: accuracies,
      val_accuracy: accuracies,
      seconds: accuracies.map(() => seconds),
    },
    bestEpoch: accuracies.length,
    finder: null,
    health: [],
    validation: judgement,
    test: judgement,
  };
}
