/**
 * Prints words of sources.txt for binding.gyp (gyp can run a command but not read a list):
 * `node sources.mjs files addon core` files of these kinds, `node sources.mjs flags avx2` flags.
 */
import { readFileSync } from 'node:fs';

const rows = readFileSync(new URL('sources.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => line.trim().split(/\s+/));
const [question, ...names] = process.argv.slice(2);

const words =
  question === 'files'
    ? rows.filter(([kind]) => names.includes(kind)).map((row) => row[1])
    : rows
        .filter(([kind, name]) => kind === 'set' && names.includes(name))
        .flatMap((row) => row.slice(3));
console.log(words.join('\n'));
