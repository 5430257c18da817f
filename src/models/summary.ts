/** The table of a model's layers. */

import { bytesPerElement } from '../backends/dtype.js';
import type { Layer } from '../layers/layer.js';
import type { Optimizer } from '../optimizers/index.js';
import type { Shape } from '../tensor/shape.js';
import type { Model } from './model.js';

const count = (value: number): string => value.toLocaleString('en-US');

function bytes(parameters: number, each: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = parameters * each;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)} ${units[unit]}`;
}

function cells(layer: Layer, shape: Shape | undefined): [string, string, string] {
  const output = shape ? `(${['None', ...layer.outputShape(shape)].join(', ')})` : '?';
  const parameters = layer.built ? count(layer.countParameters()) : '0 (unbuilt)';
  return [`${layer.name} (${layer.constructor.name})`, output, parameters];
}

/** Layers, output shapes and parameter counts, as Keras prints them. */
export function summaryText(model: Model, optimizer: Optimizer | null): string {
  const header: [string, string, string] = ['Layer (type)', 'Output Shape', 'Param #'];
  const rows = model.layers.map((layer) => cells(layer, layer.inputShape));
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
  const size = bytesPerElement[model.dtype];
  const total = model.countParameters();
  const trainable = model.trainableWeights.reduce((sum, weight) => sum + weight.value.size, 0);
  const named = (what: string, parameters: number): string =>
    ` ${what}: ${count(parameters)} (${bytes(parameters, size)})`;
  return [
    `Model: "${model.name}"`,
    rule('┏', '┳', '┓', '━'),
    line(header, '┃'),
    rule('┡', '╇', '┩', '━'),
    rows.map((row) => line(row, '│')).join(`\n${rule('├', '┼', '┤', '─')}\n`),
    rule('└', '┴', '┘', '─'),
    named('Total params', total),
    named('Trainable params', trainable),
    named('Non-trainable params', total - trainable),
    ...(optimizer ? [` Optimizer: ${optimizer.name}`] : []),
  ].join('\n');
}
