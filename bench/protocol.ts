/**
 * How the benchmark talks to what it measures. Every contestant (gradloom on a device, PyTorch,
 * Keras, TensorFlow.js, numpy) is a process that reads one JSON request per line and answers with
 * one JSON line: milliseconds per repetition, or why it cannot. The processes stay alive, so that
 * rounds can be interleaved: A B C, A B C, …
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';

/** What is to be timed. Sizes are elements; every time is for float32. */
export type Case =
  /** One training step: 3072 → depth × Dense(width, ELU) → 10, cross-entropy, Nadam. */
  | {
      readonly kind: 'step';
      readonly batch: number;
      readonly depth: number;
      readonly width: number;
      readonly batchNorm: boolean;
    }
  /** A step of a whole shuffled epoch of `samples` uint8 images through plain fit. */
  | { readonly kind: 'epoch'; readonly batch: number; readonly samples: number }
  /** A product [m, k] · [k, n], operands stored transposed where said. */
  | {
      readonly kind: 'matmul';
      readonly m: number;
      readonly n: number;
      readonly k: number;
      readonly transA: boolean;
      readonly transB: boolean;
    }
  /** Elementwise, reduction or softmax over `n` elements (softmax: rows of 1000). */
  | { readonly kind: 'map'; readonly op: MapOp; readonly n: number };

export type MapOp = 'elu' | 'exp' | 'tanh' | 'addScaled' | 'sum' | 'softmax' | 'copy';

export interface Request {
  readonly case: Case;
  /** Spend about so many milliseconds, after a warm-up. */
  readonly budget: number;
}

export interface Answer {
  /** Milliseconds per repetition: the median over those that fitted into the budget. */
  readonly ms?: number;
  readonly error?: string;
}

/** One process being measured. */
export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: ((line: string) => void)[] = [];
  #gone: string | null = null;
  #errors = '';
  /** What it says of itself: version, device, threads. */
  version = '';

  private constructor(
    readonly name: string,
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.#child = spawn(command[0]!, command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
    const fail = (reason: string): void => {
      this.#gone ??= reason;
      for (const answer of this.#waiting.splice(0)) answer(JSON.stringify({ error: this.#gone }));
    };
    this.#child.on('error', (error) => fail(error.message));
    this.#child.on('close', (code) =>
      fail(this.#errors.trim().split('\n').at(-1) ?? `exit ${code}`),
    );
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#lines.on('line', (line) => this.#waiting.shift()?.(line));
  }

  /** Starts it and waits for its first line. Null, with the reason, when it cannot run here. */
  static async start(
    name: string,
    command: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Contestant | { readonly reason: string }> {
    const contestant = new Contestant(name, command, environment);
    const hello = JSON.parse(await contestant.#next()) as { version?: string; error?: string };
    if (hello.error !== undefined) return { reason: hello.error };
    contestant.version = hello.version ?? '';
    return contestant;
  }

  async ask(request: Request): Promise<Answer> {
    if (this.#gone) return { error: this.#gone };
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(await this.#next()) as Answer;
  }

  end(): void {
    this.#lines.close();
    this.#child.kill();
  }

  #next(): Promise<string> {
    if (this.#gone) return Promise.resolve(JSON.stringify({ error: this.#gone }));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
