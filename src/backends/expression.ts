/** The little language of formulas.ts: text to syntax tree, and what a tree mentions. */

import { functions } from './formulas.js';

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/';

export type Expression =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: Arithmetic | Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'select'; readonly args: readonly [Expression, Expression, Expression] }
  | { readonly kind: 'call'; readonly name: keyof typeof functions; readonly args: Expression[] };

const token = /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?)|([A-Za-z][A-Za-z0-9]*)|(==|!=|<=|>=|[-+*/(),<>]))/y;
const levels: readonly (readonly string[])[] = [
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
];

/**
 * Parses one text. Throws a plain Error naming the text: a mistake in formulas.ts, not a user's.
 */
export function parse(text: string): Expression {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const from = token.lastIndex;
    const match = token.exec(text);
    if (!match) throw new Error(`formula "${text}": cannot read "${text.slice(from)}"`);
    tokens.push(match[0].trim());
  }
  let at = 0;
  const expect = (wanted: string): void => {
    if (tokens[at++] !== wanted) throw new Error(`formula "${text}": expected "${wanted}"`);
  };

  function level(depth: number): Expression {
    const operators = levels[depth];
    if (!operators) return prefix();
    let left = level(depth + 1);
    while (operators.includes(tokens[at] ?? '')) {
      const operator = tokens[at++] as Arithmetic | Comparison;
      left = { kind: 'binary', operator, left, right: level(depth + 1) };
    }
    return left;
  }

  function prefix(): Expression {
    const word = tokens[at++];
    if (word === undefined) throw new Error(`formula "${text}": ends too early`);
    if (word === '-') return { kind: 'negate', operand: prefix() };
    if (word === '(') {
      const inner = level(0);
      expect(')');
      return inner;
    }
    if (/^\d/.test(word)) return { kind: 'number', text: word };
    if (!/^[A-Za-z]/.test(word)) throw new Error(`formula "${text}": unexpected "${word}"`);
    if (tokens[at] !== '(') return { kind: 'variable', name: word };
    at++;
    const args = [level(0)];
    while (tokens[at] === ',') {
      at++;
      args.push(level(0));
    }
    expect(')');
    return call(word, args);
  }

  function call(name: string, args: Expression[]): Expression {
    if (name === 'select' && args.length === 3) {
      return { kind: 'select', args: args as [Expression, Expression, Expression] };
    }
    if (functions[name as keyof typeof functions] !== args.length) {
      throw new Error(`formula "${text}": no function ${name} of ${args.length} arguments`);
    }
    return { kind: 'call', name: name as keyof typeof functions, args };
  }

  const tree = level(0);
  if (at !== tokens.length) throw new Error(`formula "${text}": unexpected "${tokens[at]}"`);
  return tree;
}

/** Names of the variables a tree mentions. */
export function variables(tree: Expression, into = new Set<string>()): Set<string> {
  switch (tree.kind) {
    case 'number':
      break;
    case 'variable':
      into.add(tree.name);
      break;
    case 'negate':
      variables(tree.operand, into);
      break;
    case 'binary':
      variables(tree.left, into);
      variables(tree.right, into);
      break;
    case 'select':
    case 'call':
      for (const argument of tree.args) variables(argument, into);
      break;
    default:
      tree satisfies never;
  }
  return into;
}
