/**
 * Finds and loads the native addon. Never throws: what it cannot load it explains. Knows where the
 * file may lie and that it must be made from the same tables; not what the addon can do.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { nodeFs } from './node-modules.js';
import { tableHash } from './table-hash.js';

/** What every build of the addon has: the hash of the tables it was compiled from. */
export interface Addon {
  readonly tableHash: number;
}

export type LoadedAddon =
  { readonly addon: Addon; readonly path: string } | { readonly reason: string };

/** The package's own folder, both from src/backends and from dist/backends. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Where the addon is looked for, in this order; GRADLOOM_ADDON names another file instead. */
export function addonCandidates(): string[] {
  const chosen = process.env['GRADLOOM_ADDON'];
  if (chosen) return [chosen];
  return [
    `${packageRoot}build/Release/gradloom.node`,
    `${packageRoot}prebuilds/${process.platform}-${process.arch}/gradloom.node`,
  ];
}

/**
 * Loads the first addon there is. The reason for having none is one sentence that says what to do.
 */
export function loadAddon(candidates: readonly string[] = addonCandidates()): LoadedAddon {
  const path = candidates.find((candidate) => nodeFs().existsSync(candidate));
  if (path === undefined) {
    const where = process.env['GRADLOOM_ADDON'] ? ` at ${candidates.join(', ')}` : '';
    return { reason: `the native addon has not been built${where}; run \`npx gradloom build\`` };
  }
  let addon: unknown;
  try {
    addon = createRequire(import.meta.url)(path);
  } catch (error) {
    return { reason: `${path} does not load: ${explain(error)}` };
  }
  if ((addon as Addon | null)?.tableHash !== tableHash) {
    return {
      reason: `${path} was built from other sources; run \`npx gradloom build\` to build it again`,
    };
  }
  return { addon: addon as Addon, path };
}

function explain(error: unknown): string {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  const otherMachine = /invalid ELF|wrong ELF|incompatible architecture|not a valid Win32|mach-o/i;
  if (otherMachine.test(message)) {
    const here = `${process.platform} ${process.arch}`;
    return `it is not for ${here}; run \`npx gradloom build --force\``;
  }
  if (/GLIBC|version .* not found|symbol/i.test(message)) {
    return `it was built on another system (${message}); run \`npx gradloom build --force\``;
  }
  return message;
}
