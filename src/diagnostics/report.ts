/** A step's figures and findings, as data and as text. */

import type { Finding } from './findings.js';
import { show } from './findings.js';
import type { LayerHealth } from './measure.js';

export class HealthReport {
  constructor(
    readonly loss: number,
    readonly layers: readonly LayerHealth[],
    /** What is wrong; empty for a healthy model. */
    readonly findings: readonly Finding[],
  ) {}

  /** Whether nothing is wrong. */
  get healthy(): boolean {
    return this.findings.length === 0;
  }

  /** The findings, a paragraph each. */
  get words(): string {
    if (this.healthy) return 'No problem found.';
    return this.findings
      .map(({ message, advice }) => `• ${capital(message)}.\n  Try: ${advice}.`)
      .join('\n');
  }

  /** A table of the layers, and the findings. */
  toString(): string {
    return [`Loss ${show(this.loss)}`, ...table(this.layers), '', this.words].join('\n');
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

type Column = readonly [title: string, cell: (layer: LayerHealth) => string];

const number = (value: number | null): string => (value === null ? '' : show(value));
const share = (value: number | null): string =>
  value === null ? '' : `${Math.round(100 * value)} %`;

const columns: readonly Column[] = [
  ['Layer', (each) => `${each.name} (${each.type})`],
  ['Mean', (each) => show(each.mean)],
  ['Deviation', (each) => show(Math.sqrt(each.variance))],
  ['Signal', (each) => number(each.signal)],
  ['Gradient', (each) => number(each.gradientNorm)],
  ['Update', (each) => number(each.updateRatio)],
  ['Dead', (each) => share(each.deadShare)],
  ['Saturated', (each) => share(each.saturatedShare)],
];

function table(layers: readonly LayerHealth[]): string[] {
  const rows = [
    columns.map(([title]) => title),
    ...layers.map((each) => columns.map(([, cell]) => cell(each))),
  ];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
