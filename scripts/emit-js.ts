/**
 * The loops of the `js` backend from the formulas.
 *
 * Each kernel becomes one function of three nested loops (see `mapStrided` in backend.ts), and one
 * such function for each class of dtypes, in an array of its own: float32, float64, integers. The
 * copies are on purpose. V8 collects type feedback per function text; a loop that has seen only
 * Float32Array compiles to plain loads and stores.
 */

import { parse, variables } from '../src/backends/expression.js';
import type { Expression } from '../src/backends/expression.js';
import { hyperNames, kernels, updateNames } from '../src/backends/kernels.js';
import type { Kernel } from '../src/backends/kernels.js';
import { type functions, updates } from '../src/backends/formulas.js';
import type { Update } from '../src/backends/formulas.js';
import { isSingle, singleCall } from './emit-single.js';

/** What is computed with; float32 results need less than doubles can give. */
type Domain = 'single' | 'double' | 'integer';
type FunctionName = keyof typeof functions;

/** Functions that js-math.ts provides; all others are Math's, under the same name. */
const ours = new Set<FunctionName>([
  'erf', 'sigmoid', 'softplus', 'round', 'pow', 'mod', 'floorDiv',
]); // prettier-ignore
const mathNames: Partial<Record<FunctionName, string>> = { minimum: 'min', maximum: 'max' };
const operators: Record<string, string> = { '==': '===', '!=': '!==' };

function functionName(name: FunctionName, domain: Domain): string {
  if (!ours.has(name)) return `Math.${mathNames[name] ?? name}`;
  return domain === 'integer' && name !== 'round' ? `${name}Integer` : name;
}

/**
 * JavaScript for a tree; integer products wrap, as int32 does. What must be computed before goes to
 * `statements`.
 */
function script(tree: Expression, domain: Domain, statements: string[] = []): string {
  const inside = (inner: Expression): string => script(inner, domain, statements);
  const part = (inner: Expression): string => {
    const text = inside(inner);
    const atomic = inner.kind === 'number' || inner.kind === 'variable' || inner.kind === 'call';
    return atomic || text.startsWith('Math.imul(') ? text : `(${text})`;
  };
  switch (tree.kind) {
    case 'number':
      return tree.text;
    case 'variable':
      return tree.name;
    case 'negate':
      return `-${part(tree.operand)}`;
    case 'binary': {
      const { operator, left, right } = tree;
      if (domain === 'integer' && operator === '/') throw new Error('no division of integers');
      if (domain === 'integer' && operator === '*') {
        return `Math.imul(${inside(left)}, ${inside(right)})`;
      }
      return `${part(left)} ${operators[operator] ?? operator} ${part(right)}`;
    }
    case 'select': {
      const [condition, yes, no] = tree.args;
      return `${part(condition)} ? ${part(yes)} : ${part(no)}`;
    }
    case 'call': {
      const list = tree.args.map(inside).join(', ');
      if (domain === 'single' && isSingle(tree.name)) {
        const result = `y${statements.length}`;
        statements.push(singleCall(tree.name, list, result));
        return result;
      }
      return `${functionName(tree.name, domain)}(${list})`;
    }
    default:
      return tree satisfies never;
  }
}

/** Letters of the four operands: the array, its position and its three strides in `walk`. */
const letters = ['a', 'b', 'c', 'd'] as const;

/** How many elements a loop over float32 computes before it looks whether it is done. */
const atOnce = 4;

const times = (count: number, unit: string): string =>
  unit === '1' ? String(count) : count === 1 ? unit : `${count} * ${unit}`;
const plus = (name: string, count: number, unit = '1'): string =>
  count === 0 ? name : `${name} + ${times(count, unit)}`;

/** Where the element that is so many places on stands: in the output, and in an operand. */
interface Place {
  readonly out: string;
  readonly operand: (letter: string) => string;
}

/** With strides. */
const walking = (which: number): Place => ({
  out: plus('i', which),
  operand: (letter) => plus(`${letter}i`, which, `${letter}n`),
});
/** All at one index. */
const together = (which: number): Place => ({
  out: plus('i', which),
  operand: () => plus('i', which),
});

/** A function from a place to the text for the element there, in a block. */
function elementOf(kernel: Kernel, domain: Domain): (place: Place) => string {
  const statements: string[] = [];
  const value = script(parse(kernel.text), domain, statements);
  const result = kernel.kind === 'compare' ? `(${value}) ? 1 : 0` : value;
  return (place) => {
    const loads = kernel.operands.map((operand, i) => {
      const letter = letters[i]!;
      return `${operand} = ${letter}s[${place.operand(letter)}]!`;
    });
    return `{ const ${loads.join(', ')}; ${statements.join(' ')} out[${place.out}] = ${result}; }`;
  };
}

/** Parameter names of a loop: the array's, and the scalars that the text mentions. */
function parametersOf(kernel: Kernel): string[] {
  const mentioned = variables(parse(kernel.text));
  const scalars = ['_p', '_q'].map((unused, index) => {
    const name = kernel.parameters[index];
    return name !== undefined && mentioned.has(name) ? name : unused;
  });
  return ['out', 'walk', ...scalars, ...kernel.operands.map((_, i) => `${letters[i]!}s`)];
}

/**
 * One loop: `(out, walk, p, q, a, b, c, d)`, the arrays being the kernel's operands in order.
 * `i` runs through the output, `ai` … `di` through the operands. Where nothing is broadcast they
 * are the same; loops over float32 have a part for that, which takes two thirds of the time.
 */
function emitLoop(kernel: Kernel, domain: Domain): string {
  const used = letters.slice(0, kernel.operands.length);
  const start = (letter: string, operand: number): string =>
    `${letter}i = i0 * walk[${3 + 3 * operand}]! + i1 * walk[${4 + 3 * operand}]!`;
  const strides = used.map((letter, operand) => `, ${letter}n = walk[${5 + 3 * operand}]!`);
  const forward = (count: number): string =>
    used.map((letter) => `, ${letter}i += ${times(count, `${letter}n`)}`).join('');
  const element = elementOf(kernel, domain);
  const loop = (count: number, bound: string, place: typeof walking, step = ''): string =>
    `for (${bound}; i += ${count}${step}) {
        ${Array.from({ length: count }, (_, which) => element(place(which))).join('\n        ')}
      }`;
  const most = `const most = end - ${atOnce - 1}; i < most`;
  const same = used.map((letter) => `${letter}n === 1 && ${letter}i === i`).join(' && ');
  const many =
    domain === 'single'
      ? `
      if (${same}) {
      ${loop(atOnce, most, together)}
      ${used.map((letter) => `${letter}i = `).join('')}i;
      } else
      ${loop(atOnce, most, walking, forward(atOnce))}`
      : '';
  const table = element(walking(0)).includes('table[') ? '\n    const table = powers;' : '';
  return `  // ${kernel.name} = ${kernel.text}
  (${parametersOf(kernel).join(', ')}) => {${table}
    const n0 = walk[0]!, n1 = walk[1]!, n2 = walk[2]!${strides.join('')};
    for (let i = 0, i0 = 0; i0 < n0; i0++) for (let i1 = 0; i1 < n1; i1++) {
      let ${used.map(start).join(', ')};
      const end = i + n2;${many}
      ${loop(1, '; i < end', walking, forward(1))}
    }
  },
`;
}

/** Integers have the values of `number` rows, not their derivatives, and the comparisons. */
function defined(kernel: Kernel, domain: Domain): boolean {
  if (domain !== 'integer' || kernel.kind === 'compare') return true;
  return kernel.kind === 'number' && kernel.name.endsWith('.y');
}

function emitLoops(name: string, domain: Domain): string {
  const loops = kernels.map((kernel) =>
    defined(kernel, domain) ? emitLoop(kernel, domain) : `  undefined, // ${kernel.name}\n`,
  );
  return `export const ${name}: readonly (Loop | undefined)[] = [\n${loops.join('')}];\n`;
}

/**
 * One update: `(w, g, states, hyper)` for one parameter. It clips without a branch: with one, V8
 * would check anew for every element what kind of arrays it has.
 */
function emitUpdate(name: (typeof updateNames)[number]): string {
  const { state, steps } = updates[name] as Update;
  const mutable = new Set([...state, 'w']);
  const lines = [
    ...state.map((each, index) => `const ${each}s = states[${index}]!;`),
    ...hyperNames(name).map((each, index) => `const ${each} = hyper[${index}]!;`),
    'for (let i = 0; i < ws.length; i++) {',
    '  const scaled = gs[i]! * gradientScale;',
    '  const g = Math.max(Math.min(scaled, gradientLimit), -gradientLimit);',
    '  let w = ws[i]!;',
    '  w = w - w * decay;',
    ...state.map((each) => `  let ${each} = ${each}s[i]!;`),
    ...steps.map(([target, text]) => {
      const declaration = mutable.has(target) ? '' : 'const ';
      return `  ${declaration}${target} = ${script(parse(text), 'double')};`;
    }),
    '  ws[i] = w;',
    ...state.map((each) => `  ${each}s[i] = ${each};`),
    '}',
  ];
  const states = state.length > 0 ? 'states' : '_states';
  return `  // ${name}\n  (ws, gs, ${states}, hyper) => {\n    ${lines.join('\n    ')}\n  },\n`;
}

function emitUpdates(name: string): string {
  return `export const ${name}: readonly UpdateLoop[] = [\n${updateNames.map(emitUpdate).join('')}];\n`;
}

/** The whole of src/backends/js-loops.ts. */
export function emitJs(): string {
  return [
    `/* eslint-disable */
/**
 * GENERATED by scripts/generate.ts from formulas.ts: do not edit.
 *
 * The loops of the \`js\` backend, indexed by the numbers of kernels.ts. Their strides are those of
 * \`mapStrided\` in backend.ts. The same loops stand here once for every class of dtypes, so that V8
 * compiles each for the one kind of array that it meets.
 */

import type { HostArray } from './backend.js';
import {
  erf, floorDiv, floorDivInteger, mod, modInteger, pow, round, sigmoid, softplus,
} from './js-math.js';
import { powers } from './powers.js';

export type Loop = (
  out: HostArray, walk: Int32Array, p: number, q: number,
  a: HostArray, b: HostArray, c: HostArray, d: HostArray,
) => void;

export type UpdateLoop = (
  parameter: HostArray, gradient: HostArray, states: readonly HostArray[], hyper: Float64Array,
) => void;
`,
    emitLoops('float32Loops', 'single'),
    emitLoops('float64Loops', 'double'),
    emitLoops('integerLoops', 'integer'),
    emitUpdates('float32Updates'),
    emitUpdates('float64Updates'),
  ].join('\n');
}
