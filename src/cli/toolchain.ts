/** Finds what can compile the addon on this machine: CMake through cmake-js, else node-gyp. */

import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export type Compiler =
  | { readonly kind: 'cmake-js'; readonly script: string }
  | { readonly kind: 'node-gyp'; readonly script: string; readonly nodeDirectory: string };

/** A way to compile, or in words what is missing for every way. */
export type Toolchain = Compiler | { readonly kind: 'none'; readonly missing: string };

const windows = process.platform === 'win32';

/** The first of these programs on the PATH, or undefined. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const endings = windows ? ['.exe', '.cmd', '.bat'] : [''];
  for (const name of names) {
    for (const folder of folders) {
      for (const ending of endings) {
        const path = join(folder, name + ending);
        try {
          accessSync(path, constants.X_OK);
          return path;
        } catch {
          // not in this folder
        }
      }
    }
  }
  return undefined;
}

/** The best way to compile on this machine. */
export function findToolchain(): Toolchain {
  // On Windows the compiler is not on the PATH; cmake-js and node-gyp ask Visual Studio themselves.
  if (!windows && !findProgram('g++', 'clang++')) {
    return { kind: 'none', missing: 'no C++ compiler (g++ or clang++) was found' };
  }
  if (!windows && !findProgram('make', 'ninja')) {
    return { kind: 'none', missing: 'neither make nor ninja was found' };
  }
  const cmakeJs = resolveScript('cmake-js/bin/cmake-js');
  if (cmakeJs && findProgram('cmake')) return { kind: 'cmake-js', script: cmakeJs };

  const nodeGyp = findNodeGyp();
  const nodeDirectory = findNodeHeaders();
  if (!nodeGyp) return { kind: 'none', missing: 'neither cmake nor npm’s node-gyp was found' };
  if (!findProgram('python3', 'python')) {
    return { kind: 'none', missing: 'neither cmake nor Python (for node-gyp) was found' };
  }
  if (!nodeDirectory) {
    return { kind: 'none', missing: 'cmake was not found, nor Node’s headers (for node-gyp)' };
  }
  return { kind: 'node-gyp', script: nodeGyp, nodeDirectory };
}

function resolveScript(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return undefined;
  }
}

/** node-gyp inside npm's own folder: npm tells the scripts it runs; else it is beside node. */
function findNodeGyp(): string | undefined {
  const inNpm = join('npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const nodeFolder = dirname(process.execPath);
  const candidates = [
    process.env['npm_config_node_gyp'],
    join(nodeFolder, '..', 'lib', 'node_modules', inNpm),
    join(nodeFolder, 'node_modules', inNpm),
    join('/usr/share/nodejs', inNpm),
  ];
  return candidates.find((path): path is string => path !== undefined && existsSync(path));
}

/** The folder whose include/node holds this Node's headers, so that none are downloaded. */
function findNodeHeaders(): string | undefined {
  const candidates = [
    process.env['npm_config_nodedir'],
    join(dirname(process.execPath), '..'),
    dirname(process.execPath),
  ];
  return candidates.find(
    (folder): folder is string =>
      folder !== undefined && existsSync(join(folder, 'include', 'node', 'node_api.h')),
  );
}
