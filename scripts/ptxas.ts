/**
 * What NVIDIA's compiler says of kernels: registers, shared memory, spills and stack from the
 * output of `ptxas -v`; doubles, local memory and calls from PTX.
 */

import { execFileSync } from 'node:child_process';

/** Registers and bytes of a thread, but `shared`, which is bytes of a block. */
export interface Use {
  readonly registers: number;
  readonly shared: number;
  readonly spills: number;
  readonly stack: number;
}

export interface CompiledKernel extends Use {
  /** As in C++, with its template's arguments. */
  readonly name: string;
  readonly architecture: number;
}

/** What is in the PTX of a kernel. */
export interface Instructions {
  readonly name: string;
  readonly doubles: boolean;
  readonly local: boolean;
  readonly calls: boolean;
}

/** Names as in C++ of symbols, by symbol; `gradloom::cuda::` and the like are left out. */
function namesOf(symbols: Iterable<string>): ReadonlyMap<string, string> {
  const all = [...new Set(symbols)];
  const input = all.join('\n');
  const names = execFileSync('c++filt', { input, encoding: 'utf8', maxBuffer: 2 ** 28 }).split(
    '\n',
  );
  return new Map(all.map((symbol, i) => [symbol, withoutParameters(names[i] ?? symbol)]));
}

function withoutParameters(name: string): string {
  const plain = name.replace(/gradloom::(?:cuda::)?|\(anonymous namespace\)::|^void /g, '');
  let depth = 0;
  for (let i = 0; i < plain.length; i++) {
    if (plain[i] === '<') depth++;
    else if (plain[i] === '>') depth--;
    else if (plain[i] === '(' && depth === 0) return plain.slice(0, i);
  }
  return plain;
}

/** Every kernel in the output of `ptxas -v`, once for each architecture. */
export function readPtxas(text: string): CompiledKernel[] {
  const parts = text.split("Compiling entry function '").slice(1);
  const headers = parts.map((part) => /^(\w+)' for 'sm_(\d+)a?'/.exec(part));
  const names = namesOf(headers.flatMap((header) => header?.[1] ?? []));
  return parts.map((part, i) => {
    const [, symbol, architecture] = headers[i] ?? [];
    // Functions that are not inlined have properties of their own.
    const own = part.slice(part.indexOf(`Function properties for ${symbol ?? ''}\n`));
    const local = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill/.exec(own);
    const registers = /Used (\d+) registers/.exec(part)?.[1];
    if (symbol === undefined || registers === undefined || !local) {
      throw new Error(`this output of ptxas is not understood: ${part.slice(0, 600)}`);
    }
    return {
      name: names.get(symbol)!,
      architecture: Number(architecture),
      registers: Number(registers),
      shared: Number(/(\d+) bytes smem/.exec(part)?.[1] ?? 0),
      spills: Number(local[2]) + Number(local[3]),
      stack: Number(local[1]),
    };
  });
}

/** Every kernel in a file of PTX. */
export function readPtx(text: string): Instructions[] {
  const entries = [...text.matchAll(/^(?:\.visible )?\.entry (\w+)\(([^]*?)^\}$/gm)];
  const names = namesOf(entries.map((entry) => entry[1]!));
  return entries.map(([, symbol, body]) => ({
    name: names.get(symbol!)!,
    doubles: body!.includes('.f64'),
    local: /\.local\b/.test(body!),
    calls: /^\s*call\b/m.test(body!),
  }));
}
