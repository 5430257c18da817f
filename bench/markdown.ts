/** The generated parts of docs/performance.md and README.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import type { Suite } from './cases.js';
import { curvesOf } from './curves.js';
import { labelOf } from './contestants.js';
import { busyWarning, freeText, saveReport } from './report.js';
import type { Report } from './report.js';
import { bandwidthAt } from './roofline.js';
import { aligned, digits, suiteTable } from './table.js';
import { targetRows, targetTable } from './targets.js';

type Suites = Readonly<Record<string, Suite>>;

const root = fileURLToPath(new URL('../', import.meta.url));
/** The results that the documentation shows. */
export const documentedResults = `${root}docs/performance.json`;

/** Files of the documentation with their new texts, by path from the root. */
export async function documentation(
  report: Report,
  suites: Suites,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const [name, image] of curvesOf(report, suites)) files.set(`docs/${name}.svg`, image);
  const targets = targetTable(targetRows(report, suites));
  const images = [...files.keys()].map(
    (path) => `![${path.slice(5, -4).replaceAll('-', ' ')}](${path.slice(5)})`,
  );
  const tables = Object.entries(suites)
    .filter(([key]) => report.results.some((each) => each.suite === key))
    .map(([key, suite]) => suiteTable(key, suite, report));
  const parts = {
    machine: machineText(report),
    targets,
    tables: tables.join('\n'),
    curves: images.join('\n\n'),
  };
  for (const path of ['docs/performance.md', 'README.md']) {
    const text = readFileSync(root + path, 'utf8');
    files.set(path, await tidied(path, withParts(text, parts)));
  }
  return files;
}

/** Replaces what stands between `<!-- benchmark: NAME -->` and `<!-- end -->`. */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replace(
    /(<!-- benchmark: (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (whole, begin: string, name: string, end: string) =>
      name in parts ? `${begin}\n${parts[name]!}\n\n${end}` : whole,
  );
}

async function tidied(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(root + path)), filepath: path });
}

function machineText(report: Report): string {
  const { machine, versions, absent, roofline, date, quick, realData, seconds } = report;
  const { processor, cores, memoryGB, system, node } = machine;
  const who = Object.entries(versions).filter(([name]) => name !== 'cpu' && name !== 'js');
  const lines = [
    `${processor}, ${cores} cores, ${memoryGB} GB, ${system}, Node.js ${node}; ${date}; ` +
      `a ${quick ? 'short' : 'whole'} run of ${seconds} s` +
      `${realData ? '' : ', random pixels in place of CIFAR-10'}.`,
    `Peers: ${who.map(([name, version]) => `${labelOf(name)} (${version})`).join(', ') || 'none'}.`,
  ];
  const warning = busyWarning(report.busy);
  if (warning) lines.push(`Warning: ${warning}.`);
  const free = freeText(report);
  if (free) lines.push(`${free}.`);
  const missing = Object.entries(absent);
  if (missing.length > 0) {
    const reasons = missing.map(([name, reason]) => `${labelOf(name)} (${reason})`);
    lines.push(`Not measured here: ${reasons.join(', ')}.`);
  }
  if ('reason' in roofline) lines.push(`Limits of the machine: not measured (${roofline.reason}).`);
  else {
    const rows = roofline.threads.map((limits) => [
      String(limits.threads),
      digits(limits.gflops),
      ...cacheSizes.map((bytes) => digits(bandwidthAt(limits, bytes, 'copyOrTriad'))),
    ]);
    const sizes = cacheSizes.map((bytes) => `GB/s, ${showBytes(bytes)}`);
    lines.push(aligned([['threads', 'GFLOP/s', ...sizes], ...rows]));
  }
  return lines.join('\n\n');
}

const cacheSizes = [2 ** 15, 2 ** 18, 2 ** 22, 2 ** 28];
const showBytes = (bytes: number): string =>
  bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`;

/** Writes the documentation and the results it shows; says which files. */
export async function writeDocumentation(report: Report, suites: Suites): Promise<string> {
  const files = await documentation(report, suites);
  for (const [path, text] of files) writeFileSync(root + path, text);
  saveReport(documentedResults, report);
  return `written: ${[...files.keys()].join(', ')}`;
}
