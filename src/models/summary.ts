/** The table of a model's layers. */

import { bytesPerElement } from '../backends/dtype.js';
import type { Layer } from '../layers/layer.js';
import type { Optimizer } from '../optimizers/index.js';
import type { Shape } from '../tensor/shape.js';
import type { Weight } from '../layers/weight.js';

/** What the table says of one layer. */
export interface SummaryRow {
  readonly layer: Layer;
  /** Shapes of one sample of each output; null when not known yet. */
  readonly outputs: readonly Shape[] | null;
  /** Names of what its inputs come from. Given for one layer, the table gets a column for all. */
  readonly connected?: readonly string[];
}

const count = (value: number): string => value.toLocaleString('en-US');

function bytes(weights: readonly Weight[]): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = weights.reduce(
    (total, { value: each }) => total + each.size * bytesPerElement[each.dtype],
    0,
  );
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)} ${units[unit]!}`;
}

const showOutput = (shape: Shape): string => `(${['None', ...shape].join(', ')})`;

function parameters(layer: Layer): string {
  if (!layer.built) return '0 (unbuilt)';
  const frozen = layer.trainable || layer.weights.length === 0 ? '' : ' (frozen)';
  return count(layer.countParameters()) + frozen;
}

function cells(row: SummaryRow): string[] {
  const { layer, outputs, connected } = row;
  return [
    `${layer.name} (${layer.constructor.name})`,
    outputs ? outputs.map(showOutput).join(', ') : '?',
    parameters(layer),
    ...(connected ? [connected.join(', ') || '-'] : []),
  ];
}

/** Layers, output shapes and parameter counts, as Keras prints them. */
export function summaryText(
  model: Layer,
  layers: readonly SummaryRow[],
  optimizer: Optimizer | null,
): string {
  const graph = layers.some((row) => row.connected);
  const header = ['Layer (type)', 'Output Shape', 'Param #', ...(graph ? ['Connected to'] : [])];
  const rows = layers.map((row) => cells(graph ? { connected: [], ...row } : row));
  const total = model.weights;
  const trainable = model.trainableWeights;
  const frozen = total.filter((weight) => !trainable.includes(weight));
  const line = (what: string, weights: readonly Weight[]): string => {
    const size = weights.reduce((sum, weight) => sum + weight.value.size, 0);
    return ` ${what}: ${count(size)} (${bytes(weights)})`;
  };
  return [
    `Model: "${model.name}"`,
    ...table(header, rows),
    line('Total params', total),
    line('Trainable params', trainable),
    line('Non-trainable params', frozen),
    ...(optimizer ? [` Optimizer: ${optimizer.name}`] : []),
  ].join('\n');
}

/** Lines of a table in boxes; the third column is of numbers. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length)),
  );
  const rule = (left: string, middle: string, right: string, dash: string): string =>
    left + widths.map((width) => dash.repeat(width + 2)).join(middle) + right;
  const line = (row: readonly string[], bar: string): string => {
    const padded = row.map((cell, i) =>
      i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
    );
    return `${bar} ${padded.join(` ${bar} `)} ${bar}`;
  };
  return [
    rule('┏', '┳', '┓', '━'),
    line(header, '┃'),
    rule('┡', '╇', '┩', '━'),
    rows.map((row) => line(row, '│')).join(`\n${rule('├', '┼', '┤', '─')}\n`),
    rule('└', '┴', '┘', '─'),
  ];
}
