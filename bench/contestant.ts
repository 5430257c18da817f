/** A process being measured: starting it, asking it, and living with one that crashes or hangs. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { Answer, Hello, Request } from './protocol.js';

/** How a contestant is started. */
export interface Command {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Lives through more than one process: after a crash the next request starts another. */
export class Contestant {
  /** What it says of itself; empty before it was started. */
  version = '';
  /** Why it cannot take part at all. */
  absent: string | undefined;
  #process: LineProcess | null = null;
  #failures = 0;

  /**
   * @param patience milliseconds for it to start, and beyond a request's budget to answer
   * @param attempts processes that may fail before it is given up
   */
  constructor(
    readonly name: string,
    private readonly how: Command,
    private readonly patience = 120_000,
    private readonly attempts = 3,
  ) {}

  /** Starts it, unless it runs. False, with `absent` set, when it cannot run here. */
  async start(): Promise<boolean> {
    if (this.absent !== undefined) return false;
    if (this.#process && this.#process.gone === null) return true;
    const started = new LineProcess(this.how);
    const hello = await started.next<Hello>(this.patience);
    if (hello.error !== undefined) {
      started.end();
      this.absent = hello.error;
      return false;
    }
    this.version = hello.version ?? '';
    this.#process = started;
    return true;
  }

  /** The answer; an error instead when it crashes, hangs or cannot. */
  async ask(request: Request): Promise<Answer> {
    if (!(await this.start())) return { error: this.absent! };
    const running = this.#process!;
    running.say(request);
    const answer = await running.next<Answer>(this.patience + 20 * request.budget);
    if (running.gone !== null) {
      this.end();
      this.#failures++;
      if (this.#failures >= this.attempts) this.absent = `given up: ${running.gone}`;
    }
    return answer;
  }

  /** Ends the process; the next request starts a fresh one. */
  end(): void {
    this.#process?.end();
    this.#process = null;
  }
}

/** A child that is spoken to in lines of JSON. */
class LineProcess {
  /** Why it can be spoken to no more. */
  gone: string | null = null;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #waiting: ((line: string | null) => void) | null = null;
  #errors = '';

  constructor({ command, environment }: Command) {
    this.#child = spawn(command[0]!, command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#child.stdin!.on('error', () => undefined); // it died: `close` says so
    this.#child.on('error', (error) => this.#fail(error.message));
    this.#child.on('close', (code, signal) => {
      const last = this.#errors.trim().split('\n').at(-1);
      this.#fail(`crashed (${signal ?? `exit ${code}`})${last ? `: ${last}` : ''}`);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (this.#waiting) this.#waiting(line);
      else this.#lines.push(line);
    });
  }

  say(value: object): void {
    if (this.gone === null) this.#child.stdin!.write(`${JSON.stringify(value)}\n`);
  }

  /** Its next line, or why there is none. Kills it after `patience` milliseconds of silence. */
  async next<T extends { error?: string }>(patience: number): Promise<T> {
    const line = this.#lines.shift() ?? (await this.#wait(patience));
    if (line === null) return { error: this.gone! } as T;
    try {
      return JSON.parse(line) as T;
    } catch {
      return { error: `said what is not JSON: ${line.slice(0, 80)}` } as T;
    }
  }

  end(): void {
    this.gone ??= 'ended';
    this.#child.kill('SIGKILL');
  }

  #wait(patience: number): Promise<string | null> {
    if (this.gone !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#fail(`gave no answer in ${Math.round(patience / 1000)} s`);
        this.#child.kill('SIGKILL');
      }, patience);
      this.#waiting = (line) => {
        clearTimeout(timer);
        this.#waiting = null;
        resolve(line);
      };
    });
  }

  #fail(reason: string): void {
    this.gone ??= reason;
    this.#waiting?.(null);
  }
}
