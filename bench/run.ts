/**
 * Measures gradloom beside its peers: every contestant that can run here, interleaved, medians with
 * their spread.
 *
 *     npm run bench                          all suites
 *     npm run bench -- step small            some suites
 *     npm run bench -- --rounds 9 --threads 1 --only cpu,pytorch
 *     npm run bench -- --out new.json --compare old.json
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { suites } from './cases.js';
import { compare } from './compare.js';
import { Contestant } from './protocol.js';
import { table } from './table.js';

/** Times of one case for one contestant, one per round. */
export interface Result {
  readonly suite: string;
  readonly name: string;
  readonly contestant: string;
  readonly ms: readonly number[];
  readonly error?: string;
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly contestants: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

const here = (file: string): string =>
  fileURLToPath(new URL(`contestants/${file}`, import.meta.url));
const python = process.env['GRADLOOM_BENCH_PYTHON'] ?? 'python3';
const script = (file: string): string[] => [process.execPath, '--import', 'tsx', here(file)];

/** How each contestant is started; peers that are not installed are reported and left out. */
const known: Readonly<Record<string, readonly [string[], Record<string, string>]>> = {
  cpu: [script('gradloom.ts'), { GRADLOOM_DEVICE: 'cpu' }],
  js: [script('gradloom.ts'), { GRADLOOM_DEVICE: 'js' }],
  pytorch: [[python, here('pytorch.py')], { GRADLOOM_BENCH_VARIANT: 'eager' }],
  'pytorch-adam': [[python, here('pytorch.py')], { GRADLOOM_BENCH_VARIANT: 'adam' }],
  'pytorch-compiled': [[python, here('pytorch.py')], { GRADLOOM_BENCH_VARIANT: 'compiled' }],
  keras: [[python, here('keras.py')], {}],
  numpy: [[python, here('numpy_blas.py')], {}],
  'tfjs-cpu': [script('tfjs.mjs'), { GRADLOOM_BENCH_VARIANT: 'cpu' }],
  'tfjs-wasm': [script('tfjs.mjs'), { GRADLOOM_BENCH_VARIANT: 'wasm' }],
};

async function start(names: readonly string[], threads: string | undefined): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const name of names) {
    const entry = known[name];
    if (!entry) throw new Error(`there is no contestant ${name}: ${Object.keys(known).join(', ')}`);
    const own = threads === undefined ? {} : { GRADLOOM_THREADS: threads };
    const contestant = await Contestant.start(name, entry[0], { ...entry[1], ...own });
    if (contestant instanceof Contestant) started.push(contestant);
    else process.stderr.write(`without ${name}: ${contestant.reason}\n`);
  }
  return started;
}

async function measure(
  contestants: readonly Contestant[],
  wanted: readonly string[],
  rounds: number,
  budget: number,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const suite of wanted) {
    for (const each of suites[suite]!.cases) {
      const times = contestants.map((): number[] => []);
      const errors = contestants.map((): string | undefined => undefined);
      for (let round = 0; round < rounds; round++) {
        for (const [i, contestant] of contestants.entries()) {
          if (errors[i] !== undefined) continue;
          process.stderr.write(
            `\r\x1b[2K${suite}: ${each.name}, round ${round + 1}, ${contestant.name}`,
          );
          const answer = await contestant.ask({ case: each.case, budget });
          if (answer.ms === undefined) errors[i] = answer.error ?? 'no answer';
          else times[i]!.push(answer.ms);
        }
      }
      contestants.forEach(({ name }, i) => {
        const error = errors[i];
        const result = { suite, name: each.name, contestant: name, ms: times[i]! };
        results.push(error === undefined ? result : { ...result, error });
      });
    }
    process.stderr.write('\r\x1b[2K');
    console.log(
      table(
        suites[suite]!,
        results.filter((each) => each.suite === suite),
      ),
    );
  }
  return results;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      budget: { type: 'string', default: '300' },
      threads: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
      compare: { type: 'string' },
    },
  });
  const wanted = positionals.length > 0 ? positionals : Object.keys(suites);
  const unknown = wanted.find((name) => !(name in suites));
  if (unknown !== undefined) {
    throw new Error(
      `there is no suite ${unknown}; the suites are ${Object.keys(suites).join(', ')}`,
    );
  }
  const names = values.only?.split(',') ?? Object.keys(known);
  const contestants = await start(names, values.threads);
  for (const each of contestants) console.log(`${each.name.padEnd(18)}${each.version}`);
  const results = await measure(contestants, wanted, Number(values.rounds), Number(values.budget));
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores`,
    node: process.version,
    contestants: Object.fromEntries(contestants.map((each) => [each.name, each.version])),
    results,
  };
  for (const each of contestants) each.end();
  if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
  if (values.compare) {
    console.log(compare(JSON.parse(readFileSync(values.compare, 'utf8')) as Report, report));
  }
}

await main();
