#!/usr/bin/env node
/** The `gradloom` command: picks the subcommand, prints help, turns errors into exit codes. */

import { readFileSync } from 'node:fs';

interface Command {
  readonly summary: string;
  /** Loads the command and runs it; resolves to the exit code. */
  readonly run: (argv: readonly string[]) => Promise<number>;
}

// Loaded when asked for: `build` must run before there is anything that `info` could look at.
const commands: Readonly<Record<string, Command>> = {
  info: {
    summary: 'versions, devices found, which one is used and why others are not',
    run: async () => (await import('./info.js')).info(),
  },
  build: {
    summary: 'compile the native addon, which the cpu device needs (see build --help)',
    run: async (argv) => (await import('./build.js')).build(argv),
  },
};

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const lines = Object.entries(commands).map(
    ([name, command]) => `  gradloom ${name.padEnd(8)}${command.summary}`,
  );
  return `gradloom ${version()}\n\n${lines.join('\n')}\n  gradloom --version\n`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version') {
    console.log(version());
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(help());
    return 0;
  }
  const command = commands[name];
  if (!command) {
    console.error(`gradloom: there is no command "${name}"\n\n${help()}`);
    return 2;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    console.error(`gradloom ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
