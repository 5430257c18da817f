/** The numbered list of kernels, which is read off the texts without parsing them. */

import { expect, it } from 'vitest';

import { parse, variables } from '../src/backends/expression.js';
import { kernels } from '../src/backends/kernels.js';

it.each(kernels)('$name has the operands and parameters that its text mentions', (kernel) => {
  const known = new Set<string>([...kernel.operands, ...kernel.parameters]);
  const mentioned = variables(parse(kernel.text));
  expect([...mentioned].filter((name) => !known.has(name))).toEqual([]);
  if (!kernel.name.endsWith('.y')) {
    expect(kernel.operands.filter((name) => !mentioned.has(name))).toEqual([]);
  }
});
