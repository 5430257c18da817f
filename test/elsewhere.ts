/** What the package exports, or tensors have, that is no operation; and the suite that tests it. */

const inSuites = (file: string, names: readonly string[]): [string, string][] =>
  names.map((name) => [name, file]);

export const elsewhere: Readonly<Record<string, string>> = Object.fromEntries([
  ...inSuites('autograd.test.ts', [
    'backward', 'customOp', 'detach', 'grad', 'noGrad', 'requiresGrad', 'valueAndGrad',
  ]),
  ...inSuites('gradcheck.test.ts', ['gradcheck', 'gradgradcheck']),
  ...inSuites('tensor.test.ts', [
    'assign', 'backend', 'buffer', 'constructor', 'copy', 'data', 'dataSync', 'device',
    'describeDevices', 'deviceStatistics', 'dispose', 'item', 'rank', 'setDevice', 'setMemoryLimit', 'setThreads', 'threads', 'to',
    'toArray', 'toString',
  ]),
  ...inSuites('precision.test.ts', ['precision', 'setPrecision']),
  ...inSuites('memory.test.ts', ['clearPool', 'memory', 'tidy']),
  ...inSuites('random.test.ts', ['seed']),
  ...inSuites('timing.test.ts', ['timeOnDevice']),
]); // prettier-ignore
