/** A process of its own that loads the small CIFAR-10, and may be told to die on the way. */
import { loadCifar10Files } from '../src/data/cifar10.js';
import { sha256 } from '../src/data/pinned-file.js';
import { type ChildTask, HASTE } from './data-support.js';

const { files, options, killAt } = JSON.parse(process.argv[2]!) as ChildTask;
let reports = 0;
if (process.env['TEST_USER_ID'] !== undefined)
  process.setuid?.(Number(process.env['TEST_USER_ID']));

try {
  const data = await loadCifar10Files(
    files,
    {
      ...options,
      onProgress: ({ stage }) => {
        if (stage !== killAt?.stage) return;
        reports++;
        if (reports === killAt.report) process.kill(process.pid, 'SIGKILL');
      },
    },
    HASTE,
  );
  process.stdout.write(`loaded ${sha256(data.train.images)}\n`);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
  process.exitCode = 3;
}
