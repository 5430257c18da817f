/**
 * The numbered list of elementwise kernels and of optimizer updates, derived from formulas.ts.
 * The numbers are what crosses the boundary to the addon; table-hash.ts proves that both sides were
 * made from the same rows.
 */

import { formulas, updatePrelude, updates } from './formulas.js';
import type { Formula, FormulaKind, FormulaName, Update, UpdateName } from './formulas.js';

export type Operand = 'a' | 'b' | 'c' | 'g' | 'y';

/** A row's text of the value, or of the gradient with respect to an argument. */
export type RowOutput = 'y' | 'da' | 'db' | 'dc';

export interface Kernel {
  /** `elu.y`, `elu.da`: the row and which of its texts. */
  readonly name: string;
  readonly text: string;
  /** Arrays it reads, in the order they are passed (at most four). */
  readonly operands: readonly Operand[];
  readonly parameters: readonly string[];
  readonly kind: FormulaKind;
}

const order: readonly Operand[] = ['a', 'b', 'c', 'g', 'y'];

/** The operands that a text mentions, which no parameter is named like. Parsing takes longer. */
const operandNames = /\b[abcgy]\b/g;

function kernelsOf(name: string, row: Formula): Kernel[] {
  const list: Kernel[] = [];
  for (const output of ['y', 'da', 'db', 'dc'] as const) {
    const text = row[output];
    if (text === undefined) continue;
    const used = new Set<string>(text.match(operandNames));
    // The value's operands are the row's arguments even where the text ignores one.
    const operands =
      output === 'y' ? (Array.from(row.args) as Operand[]) : order.filter((each) => used.has(each));
    const parameters = row.parameters ?? [];
    list.push({ name: `${name}.${output}`, text, operands, parameters, kind: row.kind });
  }
  return list;
}

/** All elementwise kernels; the index is the kernel's number. */
export const kernels: readonly Kernel[] = Object.entries(formulas).flatMap(([name, row]) =>
  kernelsOf(name, row),
);

/** By row, then by output: a key made of both would be put together in every operation. */
const numbers = new Map<string, Partial<Record<RowOutput, number>>>(
  Object.keys(formulas).map((name) => [name, {}]),
);
kernels.forEach(({ name }, index) => {
  const [row, output] = name.split('.') as [string, RowOutput];
  numbers.get(row)![output] = index;
});

/** Number of a row's kernel; -1 when the row has no such text. */
export function kernelNumber(name: FormulaName, output: RowOutput = 'y'): number {
  return numbers.get(name)?.[output] ?? -1;
}

/** Names of the updates; the index is the update's number. */
export const updateNames = Object.keys(updates) as UpdateName[];

/** Hyper-parameter names of an update in the order they are passed, prelude first. */
export function hyperNames(name: UpdateName): string[] {
  return [...updatePrelude, ...(updates[name] as Update).hyper];
}
