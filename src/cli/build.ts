/**
 * `gradloom build`: compiles the addon into build/Release/gradloom.node, when its sources have
 * changed and this machine can. Downloads nothing.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { parseArgs } from 'node:util';

import { loadAddon, packageRoot } from '../backends/load-addon.js';
import { findToolchain, type Compiler } from './toolchain.js';

const target = join(packageRoot, 'build', 'Release', 'gradloom.node');
const stamp = `${target}.sources`;

const help = `gradloom build [--require] [--force] [--verbose]

Compiles the native addon, which the cpu device needs, if its sources have changed.
  --require   fail when this machine cannot compile (default: say so and go on with js)
  --force     build even if nothing has changed
  --verbose   show the compiler's output

With GRADLOOM_CUDA=1 in the environment, and CMake and nvcc installed, GPUs can be used too.`;

interface Options {
  readonly force: boolean;
  readonly verbose: boolean;
}

/** Runs the command; returns the exit code. */
export function build(argv: readonly string[]): number {
  const flag = { type: 'boolean', default: false } as const;
  const options = { require: flag, force: flag, verbose: flag, help: flag };
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const sources = hashSources();
  if (!values.force && existsSync(target) && readText(stamp) === sources) {
    console.log('gradloom: the native addon is up to date');
    return 0;
  }
  const toolchain = findToolchain();
  if (toolchain.kind === 'none') {
    console.log(
      `gradloom: not building the native addon, the slower js device will be used: ` +
        `${toolchain.missing}. Install a C++ compiler, make and cmake ` +
        `(Debian, Ubuntu: apt-get install g++ make cmake), then run \`npx gradloom build\``,
    );
    return values.require ? 1 : 0;
  }
  return buildWith(toolchain, sources, values);
}

function buildWith(toolchain: Compiler, sources: string, options: Options): number {
  console.log(`gradloom: building the native addon with ${toolchain.kind} …`);
  const started = performance.now();
  if (!compile(toolchain, options.verbose)) {
    console.error('gradloom: building the native addon failed; the compiler’s output is above');
    return 1;
  }
  const loaded = loadAddon([target]);
  if ('reason' in loaded) {
    console.error(`gradloom: the addon was built but is of no use: ${loaded.reason}`);
    return 1;
  }
  writeFileSync(stamp, sources);
  console.log(`gradloom: built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return 0;
}

function compile(toolchain: Compiler, verbose: boolean): boolean {
  const jobs = String(availableParallelism());
  if (toolchain.kind === 'cmake-js') {
    const common = ['--directory', packageRoot, '--log-level', 'error'];
    return (
      run([toolchain.script, 'configure', ...common], verbose) &&
      run([toolchain.script, 'build', ...common, '--parallel', jobs], verbose)
    );
  }
  const native = join(packageRoot, 'native');
  const nodeDirectory = `--nodedir=${toolchain.nodeDirectory}`;
  const arguments_ = ['rebuild', '--directory', native, nodeDirectory, '--jobs', jobs];
  if (!run([toolchain.script, ...arguments_], verbose)) return false;
  mkdirSync(join(packageRoot, 'build', 'Release'), { recursive: true });
  // Copied aside and renamed: a process that has the old file loaded keeps it.
  copyFileSync(join(native, 'build', 'Release', 'gradloom.node'), `${target}.new`);
  renameSync(`${target}.new`, target);
  return true;
}

/** Runs a script with this Node; its output is shown when asked for, or when it fails. */
function run(script: readonly string[], verbose: boolean): boolean {
  const result = spawnSync(process.execPath, script, {
    cwd: packageRoot,
    stdio: verbose ? 'inherit' : 'pipe',
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
  });
  if (result.status !== 0 && !verbose) process.stderr.write(`${result.stdout}${result.stderr}\n`);
  return result.status === 0;
}

/** A hash over everything the addon is made from. */
function hashSources(): string {
  const hash = createHash('sha256');
  const native = join(packageRoot, 'native');
  const files = (readdirSync(native, { recursive: true }) as string[])
    .filter((name) => !['build', 'test'].includes(name.split(sep)[0] ?? ''))
    .map((name) => join(native, name))
    .filter((path) => statSync(path).isFile())
    .sort();
  for (const path of [join(packageRoot, 'CMakeLists.txt'), ...files]) {
    hash.update(`${path}\n`).update(readFileSync(path));
  }
  const settings = ['CXX', 'CXXFLAGS', 'LDFLAGS', 'CUDACXX', 'GRADLOOM_CUDA'].map(
    (name) => process.env[name] ?? '',
  );
  hash.update([process.platform, process.arch, ...settings].join('\n'));
  return hash.digest('hex');
}

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
