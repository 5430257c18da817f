/** The targets, and how near the results come to them. */

import type { NamedCase, Suite } from './cases.js';
import { entryOf, isPeer, labelOf } from './contestants.js';
import type { ContestantName } from './contestants.js';
import { valuesOf } from './report.js';
import type { Report } from './report.js';
import { median } from './statistics.js';
import { aligned, digits, show } from './table.js';

export interface Row {
  readonly target: string;
  readonly ours: string;
  /** Empty where the target is about us alone. */
  readonly peer: string;
  readonly ratio: string;
  /** Undefined: not measured in this run. */
  readonly met: boolean | undefined;
}

type Suites = Readonly<Record<string, Suite>>;

/** Looks up results; every maker of rows below works through one. */
class Finder {
  constructor(
    readonly report: Report,
    private readonly suites: Suites,
  ) {}

  cases(suite: string, wanted: (each: NamedCase) => boolean = () => true): NamedCase[] {
    return this.suites[suite]!.cases.filter(wanted);
  }

  time(suite: string, name: string, contestant: string): number {
    return median(valuesOf(this.report, suite, name, contestant));
  }

  /** The fastest of some peers. */
  best(suite: string, name: string, among: (peer: ContestantName) => boolean = () => true) {
    const times = this.suites[suite]!.contestants.filter((each) => isPeer(each) && among(each))
      .map((peer) => ({ peer, ms: this.time(suite, name, peer) }))
      .filter(({ ms }) => !Number.isNaN(ms));
    return times.sort((a, b) => a.ms - b.ms)[0];
  }
}

interface Faster {
  readonly target: string;
  readonly suite: string;
  readonly names: readonly string[];
  readonly factor: number;
  readonly among?: (peer: ContestantName) => boolean;
  readonly contestant?: string;
}

/** "At least `factor` times as fast as the best peer", by the case where we do worst. */
function faster(finder: Finder, wanted: Faster): Row {
  const { target, suite, names, factor, among, contestant = 'cpu' } = wanted;
  const all = names.flatMap((name) => {
    const ours = finder.time(suite, name, contestant);
    const best = finder.best(suite, name, among);
    return best && !Number.isNaN(ours) ? [{ name, ours, best, ratio: best.ms / ours }] : [];
  });
  const goal = `${target}: ≥ ${factor}x the best peer`;
  const worst = all.sort((a, b) => a.ratio - b.ratio)[0];
  if (!worst) {
    const ours = names.length === 1 ? finder.time(suite, names[0]!, contestant) : NaN;
    return { target: goal, ours: show(ours), peer: 'none here', ratio: '–', met: undefined };
  }
  const place = names.length > 1 ? ` (${worst.name})` : '';
  return {
    target: goal,
    ours: `${show(worst.ours)}${place}`,
    peer: `${show(worst.best.ms)} (${labelOf(worst.best.peer)})`,
    ratio: digits(worst.ratio),
    met: worst.ratio >= factor,
  };
}

/** A figure of ours that must not exceed a limit. */
function atMost(target: string, value: number, limit: number, shown: string): Row {
  // None of these figures can be negative: one that is was not measured rightly.
  const met = Number.isNaN(value) || value < 0 ? undefined : value <= limit;
  return { target, ours: Number.isNaN(value) ? '–' : shown, peer: '', ratio: '', met };
}

const hasNadam = (peer: ContestantName): boolean => !entryOf(peer).otherOptimizer;

function trainingRows(finder: Finder): Row[] {
  const step = (name: string, factor: number): Row =>
    faster(finder, { target: `step, ${name}`, suite: 'step', names: [name], factor });
  const busy = finder.time('epoch', 'batch 32, a core hogged', 'cpu');
  const slowdown = busy / finder.time('epoch', 'batch 32', 'cpu');
  const epoch = (target: string, name: string, factor: number): Row =>
    faster(finder, { target, suite: 'epoch', names: [name], factor, among: hasNadam });
  return [
    epoch('epoch of experiment 1, batch 32 (peers with Nadam)', 'batch 32', 3),
    epoch('epoch with batch norm, batch 32 (peers with Nadam)', 'batch 32, batch norm', 4),
    step('batch 256', 1.5),
    step('batch 1024', 1.5),
    atMost('step beside a hogged core: ≤ 2.5x', slowdown, 2.5, `${digits(slowdown)}x`),
  ];
}

function kernelRows(finder: Finder): Row[] {
  const squares = [256, 512, 1024, 2048].map((n) => {
    const ofSize = ({ case: each }: NamedCase): boolean => each.kind === 'matmul' && each.n === n;
    const names = finder.cases('matmul', ofSize).map(({ name }) => name);
    return faster(finder, { target: `matmul ${n}`, suite: 'matmul', names, factor: 0.95 });
  });
  const small = finder.cases('small').map(({ name }) => {
    return faster(finder, { target: name, suite: 'small', names: [name], factor: 2 });
  });
  const transcendental = ['elu', 'exp', 'tanh', 'log', 'erf'].map((name) =>
    faster(finder, { target: name, suite: 'map', names: [name], factor: 1 }),
  );
  const rest = ['sum', 'sum of rows', 'sum of columns', 'max', 'softmax 4096x1000'].map((name) =>
    faster(finder, { target: name, suite: 'map', names: [name], factor: 1 }),
  );
  return [
    ...squares,
    ...small,
    ...threadRows(finder),
    ...bandwidthRows(finder),
    ...transcendental,
    ...rest,
  ];
}

/** How much faster two threads are than one. */
function threadRows(finder: Finder): Row[] {
  const of = (threads: number): number => {
    const ofThreads = (each: NamedCase): boolean =>
      each.case.kind === 'matmul' && each.at === threads;
    const found = finder.cases('by-threads', ofThreads)[0];
    return found ? finder.time('by-threads', found.name, 'cpu') : NaN;
  };
  const scaling = of(1) / of(2);
  const met = Number.isNaN(scaling) ? undefined : scaling >= 1.9;
  const ours = met === undefined ? '–' : `${digits(scaling)}x`;
  return [{ target: 'matmul 1024 on two threads: ≥ 1.9x', ours, peer: '', ratio: '', met }];
}

/** Whether what memory bounds runs at memory's speed: within a tenth of a tuned copy. */
function bandwidthRows(finder: Finder): Row[] {
  return ['copy', 'a*b+c'].map((name) => {
    const among = (peer: ContestantName): boolean => peer === 'copy';
    const row = faster(finder, { target: name, suite: 'map', names: [name], factor: 0.9, among });
    return { ...row, target: `${name}: ≥ 0.9 of a tuned copy` };
  });
}

function jsRows(finder: Finder): Row[] {
  const row = (target: string, names: readonly string[], factor: number): Row =>
    faster(finder, {
      ...{ target: `js, ${target}`, suite: 'js', names, factor, contestant: 'js' },
      among: (peer) => peer === 'tfjs-cpu',
    });
  const named = (kind: string): string[] =>
    finder.cases('js', (each) => each.case.kind === kind).map(({ name }) => name);
  return [
    row('matmul', named('matmul'), 4),
    row('training step, batch 32', named('step'), 10),
    row('softmax', ['softmax 4096x1000'], 10),
    row('elementwise', ['elu', 'exp', 'tanh', 'a*b+c'], 10),
  ];
}

function overheadRows(finder: Finder): Row[] {
  const worst = Math.max(
    ...finder.cases('tiny').map(({ name }) => finder.time('tiny', name, 'cpu')),
  );
  const started = finder.time('startup', 'start-up', 'cpu');
  const imported = finder.time('startup', 'import and first operation', 'cpu');
  const figure = (name: string): number => finder.time('experiment', name, 'cpu');
  const of = (target: string, name: string, limit: number): Row => {
    const { unit } = finder.cases('experiment', (each) => each.name === name)[0]!;
    return atMost(target, figure(name), limit, show(figure(name), unit));
  };
  return [
    atMost('an operation on 4 elements: ≤ 1 µs', worst, 0.001, show(worst)),
    of('native calls of a step: ≤ 2', 'native calls of a step', 2),
    of('device allocations of a step: 0', 'device allocations of a step', 0),
    atMost('start-up, Node.js included: ≤ 150 ms', started, 150, show(started)),
    atMost('import and first operation: ≤ 150 ms', imported, 150, show(imported)),
    of('peak memory of experiment 1: ≤ 400 MB', 'peak memory', 400),
    of('input pipeline: ≤ 3 % of a step', 'input pipeline, share of a step', 3),
    of('event loop blocked: ≤ 50 ms', 'longest block of the event loop', 50),
  ];
}

/** A row for every target. */
export function targetRows(report: Report, suites: Suites): Row[] {
  const finder = new Finder(report, suites);
  return [trainingRows, kernelRows, jsRows, overheadRows].flatMap((rows) => rows(finder));
}

export function targetTable(rows: readonly Row[]): string {
  const word = (met: boolean | undefined): string =>
    met === undefined ? 'not measured' : met ? 'met' : 'missed';
  const header = ['Target', 'gradloom', 'best peer', 'ratio', ''];
  return aligned([
    header,
    ...rows.map(({ target, ours, peer, ratio, met }) => [target, ours, peer, ratio, word(met)]),
  ]);
}
