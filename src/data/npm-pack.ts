/** Fetches the archive of an npm package through the user's own npm and its configuration. */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from './data-error.js';

// A caller waits for the answer, so npm's retries are kept to seconds.
const RETRIES = {
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '5000',
};

/**
 * Runs `npm pack <request>`; registry, proxy and credentials are those the user has set up.
 *
 * @param request A package with its version, such as `name@1.2.3`.
 * @param directory An empty directory to pack into.
 * @returns The path of the archive.
 * @throws SourceError if npm is not there or fails, in npm's own words.
 */
export async function npmPack(
  request: string,
  directory: string,
  signal?: AbortSignal,
): Promise<string> {
  await runNpm(['pack', request, '--ignore-scripts', '--loglevel=error'], directory, signal);
  const archive = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new SourceError(`npm pack ${request} left no archive`);
  return join(directory, archive);
}

function runNpm(
  parameters: readonly string[],
  destination: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // npm starts in the caller's directory, so that a project's .npmrc counts too. The destination
  // travels in the environment, where no shell can misread it.
  const env = { ...process.env, ...RETRIES, npm_config_pack_destination: destination };
  const onWindows = process.platform === 'win32'; // There npm is a script for the shell.
  const child = spawn('npm', parameters, {
    env,
    shell: onWindows,
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
    ...(signal && { signal }),
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-10_000);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(new SourceError(spawnFailure(error), { cause: error }));
    });
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve();
      else if (signal?.aborted) reject(signal.reason as Error);
      else reject(new SourceError(`npm ended with ${killedBy ?? code}: ${essence(complaint)}`));
    });
  });
}

function spawnFailure(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' ? 'there is no npm on the PATH' : `npm: ${error.message}`;
}

/** The lines in which npm says what went wrong, without its advice and its log's address. */
function essence(complaint: string): string {
  const lines = complaint
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '' && !/complete log|can be found in/.test(line));
  return lines.slice(0, 4).join('; ') || 'it said nothing';
}
