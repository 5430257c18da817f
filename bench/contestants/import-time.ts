/**
 * What the case of import and first operation runs. Says how many milliseconds both took, from
 * within the process: what Node.js needs for itself is no part of it.
 */

const began = performance.now();
const { add, tensor } = await import('gradloom');
const value = add(tensor([1, 2]), 1).dataSync()[1];
const took = performance.now() - began;
if (value === 3) process.stdout.write(String(took));
else process.exitCode = 1;
