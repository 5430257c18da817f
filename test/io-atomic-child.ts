/** A process that replaces one file over and over, until it is killed. */

import { writeFileAtomically } from '../src/io/atomic-file.js';

const path = process.argv[2]!;
const bytes = Number(process.argv[3]);
process.stdout.write('ready\n');
for (let version = 1; ; version = (version % 250) + 1) {
  // Several chunks, so that a torn file would have a place to tear.
  const chunk = new Uint8Array(bytes / 4).fill(version);
  await writeFileAtomically(path, [chunk, chunk, chunk, chunk]);
}
