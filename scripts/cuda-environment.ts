/**
 * What this machine has to test and measure GPUs with: the addon, which is built where it can be,
 * NVIDIA's tools, PyTorch. What is missing is told in words, with what to do.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { backendOf } from '../src/backends/registry.js';
import { findProgram } from '../src/cli/toolchain.js';

export const root = fileURLToPath(new URL('../', import.meta.url));
export const python = process.env['GRADLOOM_BENCH_PYTHON'] ?? 'python3';

/** A tool that may be missing: what it says of itself, or why it is not used. */
export type Tool = { readonly says: string } | { readonly absent: string };

export interface Environment {
  readonly device: string;
  readonly addon: string;
  /** The device in its own words. */
  readonly details: string;
  readonly tools: Readonly<Record<string, Tool>>;
}

export const isEmulated = (device: string): boolean => device === 'cuda-emulated';

/** The program that compute-sanitizer is, if it is there; GRADLOOM_SANITIZER names another. */
export const sanitizer = (): string | undefined =>
  process.env['GRADLOOM_SANITIZER'] ?? findProgram('compute-sanitizer');

function ask(command: string | undefined, args: readonly string[], missing: string): Tool {
  if (command === undefined) return { absent: missing };
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 120_000,
  });
  const said = `${stdout}\n${stderr}`.trim();
  if (error) return { absent: `${missing} (${error.message})` };
  if (status !== 0) return { absent: said.split('\n').at(-1) ?? `exit ${status ?? '?'}` };
  return { says: said };
}

const torchProgram =
  'import sys, torch\n' +
  'cuda = torch.cuda.is_available()\n' +
  'print(torch.__version__, torch.cuda.get_device_name(0) if cuda else "without CUDA")\n' +
  'sys.exit(0 if cuda else 1)';

export function findTools(): Environment['tools'] {
  const query = ['--query-gpu=index,name,driver_version,memory.total,power.limit', '--format=csv'];
  const driver = "nvidia-smi was not found: NVIDIA's driver is not installed";
  return {
    'nvidia-smi': ask(findProgram('nvidia-smi'), query, driver),
    nvcc: ask(
      findProgram('nvcc'),
      ['--version'],
      'nvcc was not found: no CUDA toolkit is installed',
    ),
    'compute-sanitizer': ask(sanitizer(), ['--version'], 'it is not on the PATH'),
    PyTorch: ask(python, ['-c', torchProgram], `${python} was not found`),
  };
}

/** Runs a command with its output shown; throws when it fails. */
function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

/** The addon's path; it is built, unless GRADLOOM_ADDON names one. */
function addonFor(device: string): string {
  const given = process.env['GRADLOOM_ADDON'];
  if (given !== undefined && given !== '') return resolve(given);
  if (isEmulated(device)) {
    const folder = join(root, 'build-emulated');
    run('cmake', ['-S', '.', '-B', folder, '-DGRADLOOM_CUDA=EMULATED', '-DGRADLOOM_AVX512=OFF']);
    const jobs = String(availableParallelism());
    run('cmake', ['--build', folder, '--parallel', jobs, '--target', 'gradloom']);
    return join(folder, 'gradloom.node');
  }
  const path = join(root, 'build', 'Release', 'gradloom.node');
  if (findProgram('nvcc') !== undefined || !existsSync(path)) {
    const build = ['--import', 'tsx', 'src/cli/main.ts', 'build', '--require'];
    run(process.execPath, build, { GRADLOOM_CUDA: '1' });
  }
  return path;
}

/** Containers may have the driver's device without its tools. */
const hasDriver = (tools: Environment['tools']): boolean =>
  'says' in tools['nvidia-smi']! || existsSync('/dev/nvidiactl');

/** What there is for a device. Throws an error that says what is missing and what to do. */
export function prepare(device: string): Environment {
  if (!/^cuda(-emulated|:\d+)?$/.test(device)) {
    throw new Error(`--device is cuda, cuda:1 and so on, or cuda-emulated: got "${device}"`);
  }
  const tools = findTools();
  try {
    const given = process.env['GRADLOOM_ADDON'] !== undefined;
    if (!isEmulated(device) && !given && !hasDriver(tools)) {
      throw new Error('this machine has no NVIDIA driver, so building for GPUs was not tried');
    }
    const addon = addonFor(device);
    process.env['GRADLOOM_ADDON'] = addon; // here and in every process that is started
    return { device, addon, details: backendOf(device).describe(), tools };
  } catch (error) {
    throw new Error(explain(device, (error as Error).message, tools), { cause: error });
  }
}

function explain(device: string, reason: string, tools: Environment['tools']): string {
  const found = (name: string): string => {
    const tool = tools[name]!;
    return `  ${name}: ${'absent' in tool ? tool.absent : tool.says.split('\n').at(-1)!}`;
  };
  const advice = isEmulated(device)
    ? ['Install a C++ compiler, make and cmake, or name an addon that was built with',
       '-DGRADLOOM_CUDA=EMULATED in GRADLOOM_ADDON.']
    : ["Run this on a machine with an NVIDIA GPU, NVIDIA's driver and the CUDA toolkit (nvcc), or with",
       'an addon that was built with CUDA elsewhere (GRADLOOM_ADDON names it). The scripts themselves',
       'can be tried without a GPU: add `-- --device cuda-emulated`.']; // prettier-ignore
  return [
    `NOTHING WAS RUN on ${device}: ${reason}`,
    'What this machine has:',
    ...['nvidia-smi', 'nvcc'].map(found),
    'What to do:',
    ...advice.map((line) => `  ${line}`),
  ].join('\n');
}

/** Lines of Markdown on the machine and its tools. */
export function describeEnvironment({ device, details, tools }: Environment): string[] {
  const lines = Object.entries(tools).map(([name, tool]) => {
    const text = 'absent' in tool ? `absent: ${tool.absent}` : tool.says.split('\n').join('; ');
    return `- ${name}: ${text}`;
  });
  return [`- device: ${device}: ${details}`, `- Node.js: ${process.version}`, ...lines];
}
