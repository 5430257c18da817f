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

type Domain = 'float' | 'integer';
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

/** JavaScript for a tree; integer products wrap, as int32 does. */
function script(tree: Expression, domain: Domain): string {
  const part = (inner: Expression): string => {
    const text = script(inner, domain);
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
        return `Math.imul(${script(left, domain)}, ${script(right, domain)})`;
      }
      return `${part(left)} ${operators[operator] ?? operator} ${part(right)}`;
    }
    case 'select': {
      const [condition, yes, no] = tree.args;
      return `${part(condition)} ? ${part(yes)} : ${part(no)}`;
    }
    case 'call': {
      const list = tree.args.map((each) => script(each, domain)).join(', ');
      return `${functionName(tree.name, domain)}(${list})`;
    }
    default:
      return tree satisfies never;
  }
}

/** Letters of the four operands: the array, its position and its three strides in `walk`. */
const letters = ['a', 'b', 'c', 'd'] as const;

/**
 * One loop: `(out, walk, p, q, a, b, c, d)`, the arrays being the kernel's operands in order.
 * `i` runs through the output, `ai` … `di` through the operands.
 */
function emitLoop(kernel: Kernel, domain: Domain): string {
  const tree = parse(kernel.text);
  const value = script(tree, domain);
  const used = letters.slice(0, kernel.operands.length);
  const mentioned = variables(tree);
  const [p, q] = ['_p', '_q'].map((unused, index) => {
    const name = kernel.parameters[index];
    return name !== undefined && mentioned.has(name) ? name : unused;
  });
  const parameters = ['out', 'walk', p, q, ...used.map((letter) => `${letter}s`)];
  const start = (letter: string, operand: number): string =>
    `${letter}i = i0 * walk[${3 + 3 * operand}]! + i1 * walk[${4 + 3 * operand}]!`;
  const step = (letter: string): string => `${letter}i += ${letter}n`;
  const strides = used
    .map((letter, operand) => `, ${letter}n = walk[${5 + 3 * operand}]!`)
    .join('');
  const loads = used.map(
    (letter, operand) => `${kernel.operands[operand]!} = ${letter}s[${letter}i]!`,
  );
  return `  // ${kernel.name} = ${kernel.text}
  (${parameters.join(', ')}) => {
    const n0 = walk[0]!, n1 = walk[1]!, n2 = walk[2]!${strides};
    for (let i = 0, i0 = 0; i0 < n0; i0++) for (let i1 = 0; i1 < n1; i1++) {
      let ${used.map(start).join(', ')};
      for (const end = i + n2; i < end; i++, ${used.map(step).join(', ')}) {
        const ${loads.join(', ')};
        out[i] = ${kernel.kind === 'compare' ? `(${value}) ? 1 : 0` : value};
      }
    }
  },
`;
}

/** Integers have the values of `number` rows, not their derivatives, and the comparisons. */
function defined(kernel: Kernel, domain: Domain): boolean {
  if (domain === 'float' || kernel.kind === 'compare') return true;
  return kernel.kind === 'number' && kernel.name.endsWith('.y');
}

function emitLoops(name: string, domain: Domain): string {
  const loops = kernels.map((kernel) =>
    defined(kernel, domain) ? emitLoop(kernel, domain) : `  undefined, // ${kernel.name}\n`,
  );
  return `export const ${name}: readonly (Loop | undefined)[] = [\n${loops.join('')}];\n`;
}

/** One update: `(w, g, states, hyper)` for one parameter. */
function emitUpdate(name: (typeof updateNames)[number]): string {
  const { state, steps } = updates[name] as Update;
  const mutable = new Set([...state, 'w']);
  const lines = [
    ...state.map((each, index) => `const ${each}s = states[${index}]!;`),
    ...hyperNames(name).map((each, index) => `const ${each} = hyper[${index}]!;`),
    'for (let i = 0; i < ws.length; i++) {',
    '  const scaled = gs[i]! * gradientScale;',
    '  const high = scaled > gradientLimit ? gradientLimit : scaled;',
    '  const g = high < -gradientLimit ? -gradientLimit : high;',
    '  let w = ws[i]!;',
    '  w = w - w * decay;',
    ...state.map((each) => `  let ${each} = ${each}s[i]!;`),
    ...steps.map(([target, text]) => {
      const declaration = mutable.has(target) ? '' : 'const ';
      return `  ${declaration}${target} = ${script(parse(text), 'float')};`;
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

export type Loop = (
  out: HostArray, walk: Int32Array, p: number, q: number,
  a: HostArray, b: HostArray, c: HostArray, d: HostArray,
) => void;

export type UpdateLoop = (
  parameter: HostArray, gradient: HostArray, states: readonly HostArray[], hyper: Float64Array,
) => void;
`,
    emitLoops('float32Loops', 'float'),
    emitLoops('float64Loops', 'float'),
    emitLoops('integerLoops', 'integer'),
    emitUpdates('float32Updates'),
    emitUpdates('float64Updates'),
  ].join('\n');
}
