/** The benchmark: its statistics, tables, command line, contestants; no times are asserted on. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, describe, expect, it } from 'vitest';

import { suitesOf } from '../bench/cases.js';
import { changes, compareText } from '../bench/compare.js';
import { Contestant } from '../bench/contestant.js';
import { curvesOf } from '../bench/curves.js';
import { withParts } from '../bench/markdown.js';
import { Cores } from '../bench/cores.js';
import { measureSuite } from '../bench/measure.js';
import { readOptions } from '../bench/options.js';
import { loadReport, saveReport } from '../bench/report.js';
import type { Report, Result } from '../bench/report.js';
import { bandwidthAt, boundOf } from '../bench/roofline.js';
import type { Limits } from '../bench/roofline.js';
import { mannWhitney, median, ratioInterval, spread } from '../bench/statistics.js';
import { suiteTable } from '../bench/table.js';
import { targetRows, targetTable } from '../bench/targets.js';

const folder = mkdtempSync(join(tmpdir(), 'gradloom-bench-'));
const root = fileURLToPath(new URL('../', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const suites = suitesOf({ data: null, quick: false });

const limits = (threads: number): Limits => ({
  threads,
  gflops: 100 * threads,
  bandwidth: [
    { bytes: 2 ** 15, copy: 200, triad: 100, sum: 50 },
    { bytes: 2 ** 25, copy: 20, triad: 10, sum: 5 },
  ],
});

function reportOf(results: readonly Result[]): Report {
  return {
    format: 1,
    date: '2026-01-02',
    quick: false,
    busy: 0,
    realData: false,
    machine: { processor: 'P', cores: 2, memoryGB: 8, system: 'S', node: 'v1' },
    versions: { cpu: 'gradloom cpu' },
    absent: {},
    roofline: { threads: [limits(1), limits(2)] },
    results,
    seconds: 1,
  };
}

const result = (
  suite: string,
  name: string,
  contestant: string,
  values: readonly number[],
): Result => ({ suite, name, contestant, values, unit: 'ms' });

describe('statistics', () => {
  it('medians and quartiles interpolate', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3);
  });

  it('Mann-Whitney is exact for few values', () => {
    // All orders of 5 and 5 are 252; one each way is complete separation.
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
    expect(mannWhitney([6, 7, 8, 9, 10], [1, 2, 3, 4, 5])).toBeCloseTo(2 / 252, 12);
    expect(mannWhitney([1, 2, 3], [4, 5, 6])).toBeCloseTo(0.1, 12);
    // U = 10 of 12: orders of 3 and 4 with U ≥ 10 are 1 + 1 + 2 of 35.
    expect(mannWhitney([1, 2, 5], [3, 4, 6, 7])).toBeCloseTo(8 / 35, 12);
    expect(mannWhitney([1, 2], [1, 2])).toBe(1);
  });

  it('Mann-Whitney of many values is near the exact one', () => {
    const a = Array.from({ length: 21 }, (_, i) => i);
    const shifted = a.map((each) => each + 5.5);
    const exact = mannWhitney(a.slice(0, 20), shifted.slice(0, 20));
    expect(mannWhitney(a, shifted)).toBeCloseTo(exact, 1);
    expect(mannWhitney(a, a)).toBe(1);
    const equal = a.map(() => 1);
    expect(mannWhitney(equal, equal)).toBe(1);
  });

  it('the interval of a ratio holds it, and is the same again', () => {
    const [before, after] = [
      [1, 1.1, 0.9, 1, 1.05],
      [2, 2.1, 1.9, 2.05, 2],
    ];
    const [low, high] = ratioInterval(before, after);
    expect(low).toBeGreaterThan(1.6);
    expect(high).toBeLessThan(2.4);
    expect(low).toBeLessThanOrEqual(2);
    expect(high).toBeGreaterThanOrEqual(2);
    expect(ratioInterval(before, after)).toEqual([low, high]);
  });
});

describe('comparing', () => {
  const at = (values: readonly number[]): Report => reportOf([result('s', 'n', 'cpu', values)]);
  const before = at([1, 1.01, 0.99, 1.02, 1]);

  it('names what is surely slower, with its ratio', () => {
    const after = at([1.5, 1.51, 1.49, 1.52, 1.5]);
    expect(changes(before, after)).toMatchObject([{ name: 'n', ratio: 1.5 }]);
    expect(compareText(before, after)).toMatch(
      /^SLOWER +1\.5x .*p = 0\.00794.* s: n, gradloom cpu/m,
    );
    expect(compareText(after, before)).toMatch(/^faster +0\.667x/m);
  });

  it('does not take noise, small changes or other cases for changes', () => {
    expect(changes(before, at([0.9, 1.2, 0.99, 1.1, 1.001]))).toEqual([]);
    expect(changes(before, at([1.021, 1.022, 1.023, 1.024, 1.025]))).toEqual([]);
    expect(changes(before, reportOf([result('s', 'other', 'cpu', [9, 9, 9, 9, 9])]))).toEqual([]);
    expect(compareText(before, before)).toContain('no change beyond the noise');
  });

  it('says that few rounds cannot be sure', () => {
    expect(compareText(at([1, 1, 1]), at([2, 2, 2]))).toContain('fewer than 4 rounds');
  });
});

describe('the roofline', () => {
  it('interpolates bandwidths between working sets and keeps to the ends', () => {
    expect(bandwidthAt(limits(1), 1, 'copy')).toBe(200);
    expect(bandwidthAt(limits(1), 2 ** 20, 'copy')).toBeCloseTo(110);
    expect(bandwidthAt(limits(1), 1e12, 'sum')).toBe(5);
  });

  it('adds traffic to arithmetic in steps, and takes the longer for kernels', () => {
    const matmul = suites['matmul']!.cases.at(-1)!;
    expect(boundOf(matmul, limits(1))).toBeCloseTo((1000 * 2 * 2048 ** 3) / 1e11);
    const step = suites['step']!.cases[0]!;
    const arithmetic = (1000 * step.gflop!) / 100;
    expect(boundOf(step, limits(1))).toBeGreaterThan(arithmetic);
  });
});

describe('tables', () => {
  const [small] = suites['small']!.cases;
  const report = reportOf([
    result('small', small!.name, 'cpu', [1, 2, 3]),
    result('small', small!.name, 'numpy', [5, 6, 7]),
    { ...result('small', small!.name, 'pytorch', []), error: 'broken' },
    result('epoch', 'batch 32', 'cpu', [1]),
    result('epoch', 'batch 32', 'keras', [4]),
    result('epoch', 'batch 32', 'pytorch-compiled', [2]),
  ]);

  it('a suite shows medians, the ratio to the best peer and who could not', () => {
    const shown = suiteTable('small', suites['small']!, report);
    expect(shown).toMatch(/\| 32x3072 · 3072x100 \| +2 ms ±25% \| +6 ms ±8% \| +3 \|/);
    expect(shown).toContain(`PyTorch, NAdam foreach (${small!.name}): broken`);
  });

  it('targets are met, missed or not measured', () => {
    const rows = targetRows(report, suites);
    const row = (start: string) => rows.find(({ target }) => target.startsWith(start));
    expect(row('32x3072 · 3072x100')).toMatchObject({ ratio: '3', met: true });
    expect(row('epoch')).toMatchObject({ ratio: '2', met: false });
    expect(row('matmul 512')).toMatchObject({ met: undefined });
    expect(targetTable(rows)).toMatch(/\| +missed \|/);
  });

  it('a figure that cannot be is no target met', () => {
    const name = 'input pipeline, share of a step';
    const metAt = (value: number): boolean | undefined => {
      const rows = targetRows(reportOf([result('experiment', name, 'cpu', [value])]), suites);
      return rows.find(({ target }) => target.startsWith('input pipeline'))!.met;
    };
    expect([metAt(2), metAt(4), metAt(-16)]).toEqual([true, false, undefined]);
  });

  it('curves have our times, a peer and the limit', () => {
    const cases = suites['by-batch']!.cases;
    const curves = cases.flatMap(({ name }, i) => [
      result('by-batch', name, 'cpu', [i + 1]),
      result('by-batch', name, 'pytorch', [i + 2]),
    ]);
    const images = curvesOf(reportOf(curves), suites);
    const image = images.get('performance-by-batch')!;
    expect(image.match(/<polyline/g)).toHaveLength(3);
    expect(image).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect([...images.keys()]).toEqual(['performance-by-batch']);
  });

  it('documents have parts replaced, and only those', () => {
    const text =
      'a\n<!-- benchmark: x -->\nold\n<!-- end -->\nb\n<!-- benchmark: y -->\n<!-- end -->';
    const once = withParts(text, { x: 'new' });
    expect(once).toBe(text.replace('old\n', '\nnew\n\n'));
    expect(withParts(once, { x: 'new' })).toBe(once);
  });
});

describe('the command line', () => {
  const read = (...args: string[]) => readOptions(args, Object.keys(suites));

  it('reads suites, peers and defaults', () => {
    expect(read('--only', 'step,matmul').suites).toEqual(['step', 'matmul']);
    expect(read('--peers', 'none').contestants).toEqual(['cpu', 'js', 'cuda', 'node']);
    expect(read('--peers', 'numpy').contestants).toContain('numpy');
    expect(read('--quick')).toMatchObject({ quick: true, minutes: 2 });
    expect(read()).toMatchObject({ minutes: 15, out: 'runs/bench.json', rounds: undefined });
  });

  it('names the nearest right word', () => {
    expect(() => read('--quik')).toThrow('there is no flag --quik. Did you mean --quick?');
    expect(() => read('--only', 'matmull')).toThrow('Did you mean matmul?');
    expect(() => read('--peers', 'pytorh')).toThrow('Did you mean pytorch?');
    expect(() => read('--rounds', '1.5')).toThrow('--rounds must be a whole number above 0');
    expect(() => read('--minutes', 'x')).toThrow('--minutes must be a number above 0');
  });

  it('results are kept and read again; other files are refused by name', () => {
    const path = join(folder, 'deep', 'report.json');
    const report = reportOf([result('s', 'n', 'cpu', [1])]);
    saveReport(path, report);
    expect(loadReport(path)).toEqual(report);
    const other = join(folder, 'other.json');
    writeFileSync(other, '{}');
    expect(() => loadReport(other)).toThrow(`${other} is not a result of this benchmark`);
    expect(() => loadReport(join(folder, 'none.json'))).toThrow('none.json cannot be read');
  });
});

describe('contestants', () => {
  const request = { case: { kind: 'tiny', op: 'add' }, budget: 1, threads: 1 } as const;
  const program = (body: string, patience?: number): Contestant =>
    new Contestant('peer', { command: [process.execPath, '-e', body] }, patience);
  const hello = 'console.log(JSON.stringify({ version: "v1" }));';
  const onLine = (body: string): string =>
    `${hello} require("readline").createInterface({ input: process.stdin }).on("line", () => ${body});`;

  it('answers, and says its version', async () => {
    const peer = program(onLine('console.log(JSON.stringify({ value: 7 }))'));
    expect(await peer.ask(request)).toEqual({ value: 7 });
    expect(peer.version).toBe('v1');
    peer.end();
  });

  it('one that cannot run is absent, with its reason', async () => {
    const peer = program('console.log(JSON.stringify({ error: "not installed" }))');
    expect(await peer.ask(request)).toEqual({ error: 'not installed' });
    expect(peer.absent).toBe('not installed');
    const nobody = new Contestant('nobody', { command: [join(folder, 'no-such-program')] });
    expect((await nobody.ask(request)).error).toContain('ENOENT');
  });

  it('one that crashes is started again, and given up at last', async () => {
    const peer = program(onLine('{ console.error("it broke"); process.exit(3); }'));
    const answer = await peer.ask(request);
    expect(answer.error).toBe('crashed (exit 3): it broke');
    expect(peer.absent).toBeUndefined();
    await peer.ask(request);
    await peer.ask(request);
    expect(peer.absent).toContain('given up: crashed');
  });

  it('one that hangs is ended', async () => {
    const peer = program(onLine('undefined'), 400);
    expect((await peer.ask(request)).error).toMatch(/gave no answer in \d+ s/);
    peer.end();
  });

  it('a suite goes on without the one that fails', async () => {
    const good = program(onLine('console.log(JSON.stringify({ value: 2 }))'));
    const bad = program(onLine('process.exit(1)'));
    const kept: (readonly Result[])[] = [];
    const results = await measureSuite(
      'tiny',
      { ...suites['tiny']!, contestants: ['pytorch', 'tfjs-cpu'] },
      {
        contestants: new Map([
          ['pytorch', bad],
          ['tfjs-cpu', good],
        ]),
        cores: null,
        quick: false,
        rounds: 2,
        patience: 1,
        deadline: Date.now() + 60_000,
        progress: () => undefined,
        found: (partial) => kept.push(partial),
      },
    );
    good.end();
    const of = (name: string) => results.filter(({ contestant }) => contestant === name);
    expect(of('tfjs-cpu').map(({ values }) => values)).toEqual([[2, 2], [2, 2], [2, 2], [2, 2]]); // prettier-ignore
    expect(of('pytorch').every(({ values }) => values.length === 0)).toBe(true);
    expect(kept).toHaveLength(8); // after every case of every round
  });
});

describe('the watch over the cores', () => {
  const said = (rates: readonly number[]): Contestant => {
    const body = `let at = 0; const rates = ${JSON.stringify(rates)};
      console.log(JSON.stringify({ version: "watch" }));
      require("readline").createInterface({ input: process.stdin }).on("line", () =>
        console.log(JSON.stringify({ value: rates[Math.min(at++, rates.length - 1)] })));`;
    return new Contestant('watch', { command: [process.execPath, '-e', body] });
  };
  const counting = `let n = 0; console.log('{"version":"v"}');
    require("readline").createInterface({ input: process.stdin }).on("line", () =>
      console.log(JSON.stringify({ value: ++n })));`;
  const measured = async (cores: Cores, rounds = 1): Promise<readonly number[]> => {
    const one = { ...suites['tiny']!, cases: suites['tiny']!.cases.slice(0, 1), budget: 1 };
    const peer = new Contestant('peer', { command: [process.execPath, '-e', counting] });
    const results = await measureSuite(
      'tiny',
      { ...one, contestants: ['tfjs-cpu'] },
      {
        contestants: new Map([['tfjs-cpu', peer]]),
        cores,
        quick: false,
        rounds,
        patience: 1,
        deadline: Date.now() + 60_000,
        progress: () => undefined,
        found: () => undefined,
      },
    );
    peer.end();
    cores.end();
    return results[0]!.values;
  };

  it('a disturbed measurement is made again', async () => {
    const cores = new Cores(said([100, 50, 100, 100]), 10_000); // before, after, before, after
    expect(await measured(cores)).toEqual([2]);
    expect(cores.freeShare).toBe(1);
  });

  it('but not for ever, and not beyond the spare time', async () => {
    const busy = new Cores(said([100, 50, 100, 50, 100, 50, 100]), 10_000);
    expect(await measured(busy)).toEqual([3]);
    expect(busy.freeShare).toBe(0);
    expect(await measured(new Cores(said([100, 50]), 0))).toEqual([1]);
  });

  it('rounds that were disturbed count where there are no others', async () => {
    const cores = new Cores(said([100, 50, 100, 100, 100, 50, 50]), 0); // no time to do it again
    expect(await measured(cores, 3)).toEqual([2]);
    expect(cores.freeShare).toBe(1 / 3);
  });

  it('it waits until the cores are free', async () => {
    const cores = new Cores(said([100, 50, 50, 50, 100]), 10_000);
    await cores.areFree();
    await cores.wait();
    expect(await cores.areFree()).toBe(true);
    cores.end();
  });
});

describe('the whole', () => {
  it('measures gradloom itself, keeps the results and shows the targets', async () => {
    const run = promisify(execFile);
    await run('npm', ['run', '-s', 'build:ts'], { cwd: root });
    const compiler = ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.contestants.json'];
    await run(process.execPath, compiler, { cwd: root });
    const out = join(folder, 'tiny.json');
    const flags = ['--quick', '--only', 'tiny,small', '--peers', 'none', '--out', out];
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', 'bench/run.ts', ...flags, '--compare', writeOld()],
      { cwd: root },
    );
    const report = loadReport(out);
    const measured = report.results.filter(({ suite }) => suite === 'tiny');
    expect(measured.map(({ error }) => error).filter(Boolean)).toEqual([]);
    expect(measured.map(({ contestant }) => contestant)).toContain('js');
    for (const { values } of measured) expect(Math.min(...values)).toBeGreaterThan(0);
    expect(stdout).toContain('### What a call costs');
    expect(stdout).toContain('| Target');
    expect(stdout).toContain('Compared with 2026-01-02');
  }, 300_000);
});

/** Results of before, without any case. */
function writeOld(): string {
  const path = join(folder, 'old.json');
  saveReport(path, reportOf([]));
  return path;
}

it('the documentation says where generated parts go', () => {
  const text = readFileSync(join(root, 'docs/performance.md'), 'utf8');
  for (const part of ['machine', 'targets', 'tables', 'curves']) {
    expect(text).toContain(`<!-- benchmark: ${part} -->`);
  }
});
