/**
 * Predicts the training step of experiment 1 on GPUs nobody here has, from the launches that a
 * device was really asked for, and writes the table of docs/cuda.md.
 *
 *     npx tsx scripts/cuda-roofline.ts            the table, from docs/cuda-launches.json
 *     npx tsx scripts/cuda-roofline.ts --check    fails if the document has another
 *     npx tsx scripts/cuda-roofline.ts --record   first makes steps on the device that
 *                                                 GRADLOOM_DEVICE names, and keeps their launches
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { callbacks, deviceStatistics, normal, randint } from 'gradloom';
import { format } from 'prettier';

import { net } from '../bench/contestants/net.js';
import type { DeviceStatistics } from '../src/backends/backend.js';
import { gpus, predict } from './cuda-model.js';
import type { Launch } from './cuda-model.js';

const inDocs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
const logPath = inDocs('cuda-launches.json');
const documentPath = inDocs('cuda.md');

export const batches = [32, 256, 1024] as const;
/** Training images of CIFAR-10 without those for validation. */
const samples = 45_000;

/** Launches of one step before it is captured, by batch size. */
export type Log = Readonly<Record<string, readonly Launch[]>>;

export const loadLog = (): Log => JSON.parse(readFileSync(logPath, 'utf8')) as Log;

/** What the second step of a run asks the default device for: the first one makes the weights. */
export async function recordStep(batch: number): Promise<Launch[]> {
  const seen: DeviceStatistics[] = [];
  const look = new callbacks.LambdaCallback({
    onTrainBatchEnd: () => void seen.push(statisticsOfDevice()),
  });
  const options = { batchSize: batch, verbose: 'silent', callbacks: [look] } as const;
  const [x, y] = [normal([2 * batch, 3072]), randint([2 * batch], { high: 10 })];
  await net({ depth: 20, width: 100 }).fit(x, y, options);
  const [first, second] = seen;
  return second!.kernels.flatMap(({ kernel, sizes, count }) => {
    const before = first!.kernels.find(
      (each) => each.kernel === kernel && each.sizes.join() === sizes.join(),
    );
    const own = count - (before?.count ?? 0);
    return own > 0 ? [{ kernel, sizes, count: own }] : [];
  });
}

function statisticsOfDevice(): DeviceStatistics {
  const found = deviceStatistics();
  if (found) return found;
  throw new Error(
    'only CUDA devices keep statistics: set GRADLOOM_DEVICE to cuda, or to cuda-emulated and ' +
      'GRADLOOM_ADDON to an addon built with -DGRADLOOM_CUDA=EMULATED',
  );
}

const microseconds = (seconds: number): string => (1e6 * seconds).toFixed(0);

/** Two tables in Markdown: what a step asks for, and how long it should take. */
export function tablesOf(log: Log): string {
  const rows = batches.flatMap((batch) =>
    gpus.map((gpu) => ({ batch, gpu, found: predict(log[batch]!, gpu) })),
  );
  const steps = rows
    .filter(({ gpu }) => gpu === gpus[0])
    .map(({ batch, found: { launches, flops, bytes } }) => {
      const figures = [launches, (flops / 1e6).toFixed(0), (bytes / 1e6).toFixed(1)];
      return `| ${[batch, ...figures].join(' | ')} |`;
    });
  const times = rows.map(({ batch, gpu, found: { kernels, eager, captured } }) => {
    const epoch = ((samples / batch) * captured).toFixed(2);
    return `| ${[batch, gpu.name, ...[kernels, eager, captured].map(microseconds), epoch].join(' | ')} |`;
  });
  return [
    '| Batch | Launches | MFLOP | MB read and written |',
    '| ---: | ---: | ---: | ---: |',
    ...steps,
    '',
    '| Batch | GPU | Kernels alone, µs | Step eager, µs | Step captured, µs | Epoch captured, s |',
    '| ---: | --- | ---: | ---: | ---: | ---: |',
    ...times,
  ].join('\n');
}

const place = /(<!-- prediction -->\n)[^]*?(<!-- end of prediction -->)/;

/** The document with the tables of a log in it. */
export async function documentWith(log: Log, document: string): Promise<string> {
  if (!place.test(document)) throw new Error('docs/cuda.md has no place for the prediction');
  const text = document.replace(place, (_, begin: string, end: string) => {
    return `${begin}\n${tablesOf(log)}\n\n${end}`;
  });
  return format(text, { parser: 'markdown', printWidth: 100, proseWrap: 'preserve' });
}

/** One launch a line. */
function asText(log: Log): string {
  const parts = Object.entries(log).map(([batch, launches]) => {
    const lines = launches.map((each) => `    ${JSON.stringify(each)}`);
    return `  ${JSON.stringify(batch)}: [\n${lines.join(',\n')}\n  ]`;
  });
  return `{\n${parts.join(',\n')}\n}\n`;
}

async function main(flags: readonly string[]): Promise<void> {
  const unknown = flags.find((flag) => !['--record', '--check'].includes(flag));
  if (unknown !== undefined) throw new Error(`there is no flag ${unknown}: --record and --check`);
  if (flags.includes('--record')) {
    const log: Record<string, readonly Launch[]> = {};
    for (const batch of batches) log[batch] = await recordStep(batch);
    writeFileSync(logPath, asText(log));
  }
  const document = readFileSync(documentPath, 'utf8');
  const text = await documentWith(loadLog(), document);
  console.log(tablesOf(loadLog()));
  if (!flags.includes('--check')) writeFileSync(documentPath, text);
  else if (text !== document) throw new Error('docs/cuda.md has another prediction: write it anew');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
