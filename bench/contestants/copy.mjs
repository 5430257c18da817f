/** A tuned copy in C (bench/copy.c): what memory allows elementwise operations of one array. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { answerRequests } from '../../build/bench/contestants/timing.js';

const source = fileURLToPath(new URL('../copy.c', import.meta.url));
const program = fileURLToPath(new URL('../../build/bench/copy', import.meta.url));
try {
  const flags = ['-O3', '-march=native', '-pthread', source, '-o', program];
  execFileSync(process.env.CC ?? 'cc', flags, { stdio: 'ignore', timeout: 60_000 });
} catch {
  console.log(JSON.stringify({ error: 'no C compiler here that takes -march=native' }));
  process.exit(0);
}

answerRequests('copy in C', ({ op, n }, { threads, budget }) => {
  if (op !== 'copy' && op !== 'addScaled') throw new Error('only copies');
  const values = [n, threads, budget / 1000].map(String);
  return Number(execFileSync(program, values, { encoding: 'utf8', timeout: 60_000 }));
});
