/** Where downloaded data is kept: GRADLOOM_CACHE, or the platform's own place for caches. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The directory all gradloom caches live in, as an absolute path. It need not exist.
 *
 * In this order: `GRADLOOM_CACHE`; on Windows `%LOCALAPPDATA%\gradloom`; on macOS
 * `~/Library/Caches/gradloom`; elsewhere `$XDG_CACHE_HOME/gradloom` or `~/.cache/gradloom` (as the
 * XDG Base Directory Specification has it, a relative `XDG_CACHE_HOME` does not count).
 */
export function cacheDirectory(
  environment: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const chosen = environment['GRADLOOM_CACHE'];
  if (chosen) return resolve(chosen);
  return join(platformCaches(environment, platform, home), 'gradloom');
}

function platformCaches(environment: Environment, platform: NodeJS.Platform, home: string): string {
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local');
  if (platform === 'darwin') return join(home, 'Library', 'Caches');
  const xdg = environment['XDG_CACHE_HOME'];
  return xdg?.startsWith('/') ? xdg : join(home, '.cache');
}
