/** Progress of training on the terminal: a bar that moves, or plain lines in a log. */

import { checkOptionNames } from '../names.js';
import { Callback } from './callback.js';
import type { Logs } from './callback.js';

export interface ProgressBarOptions {
  /** Default 'bar' on a terminal, 'lines' elsewhere. */
  readonly style?: 'bar' | 'lines';
  /** Where to. Default standard error, so that standard output stays the program's. */
  readonly stream?: NodeJS.WriteStream | { write(text: string): unknown; columns?: number };
}

const known: readonly (keyof ProgressBarOptions)[] = ['style', 'stream'];

const barWidth = 20;
/** Milliseconds between redraws of the bar. */
const redraw = 100;
/** Milliseconds between lines within an epoch of a log. */
const lineEvery = 10_000;

/** `12.3s`, `4m05s`, `1h02m`. */
export function showSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

/** Four decimals, or an exponent for values near zero, as Keras prints them. */
export function showValue(value: number): string {
  return Math.abs(value) > 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(4);
}

const showLogs = (logs: Logs): string =>
  Object.entries(logs)
    .map(([name, value]) => `${name} ${showValue(value)}`)
    .join(' · ');

/** Shows epoch, step, time left, speed and logged numbers. */
export class ProgressBar extends Callback {
  readonly #stream: NonNullable<ProgressBarOptions['stream']>;
  readonly #moving: boolean;
  #epoch = 0;
  #began = 0;
  #trained = 0;
  #shown = 0;
  #looked = 0;
  #steps = 0;
  #open = false;
  #warned = false;

  constructor(options: ProgressBarOptions = {}) {
    super();
    checkOptionNames('ProgressBar', options, known);
    this.#stream = options.stream ?? process.stderr;
    const terminal = (this.#stream as { isTTY?: boolean }).isTTY ?? false;
    this.#moving = (options.style ?? (terminal ? 'bar' : 'lines')) === 'bar';
  }

  override onEpochBegin(epoch: number): void {
    this.#epoch = epoch;
    this.#began = this.#shown = performance.now();
    this.#steps = 0;
  }

  override onTrainBatchEnd(step: number, logs: Logs): void {
    this.#steps = step + 1;
    const now = performance.now();
    const last = this.#steps === this.run.stepsPerEpoch;
    // To look at a number, where a device computes apart from the host, is to wait for it.
    const looks = !this.#warned && (step === 0 || last || now - this.#looked >= redraw);
    if (looks) this.#looked = now;
    if (looks && Number.isNaN(logs['loss'])) {
      this.#warned = true;
      this.#line(
        'the loss is NaN: training has diverged; try a lower learning rate or clip the gradients',
      );
    }
    this.#trained = now;
    if (now - this.#shown < (this.#moving ? redraw : lineEvery) && !(last && this.#moving)) return;
    this.#shown = now;
    const text = `${this.#head()} ${this.#speed(now)} · ${showLogs(logs)}`;
    if (this.#moving) this.#redraw(text);
    else this.#line(text);
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    const seconds = (performance.now() - this.#began) / 1000;
    // Validation is no part of the speed.
    const rate = this.#steps / ((this.#trained - this.#began) / 1000);
    const left = (this.run.epochs - this.#epoch - 1) * seconds;
    const rest = left > 0 ? ` · at most ${showSeconds(left)} left` : '';
    const text =
      `epoch ${this.#epoch + 1}/${this.run.epochs} · ${showSeconds(seconds)} · ` +
      `${rate.toFixed(0)} steps/s · ${showLogs(logs)}${rest}`;
    if (this.#open) this.#redraw('');
    this.#open = false;
    this.#line(text);
  }

  override onTrainEnd(): void {
    if (this.#open) this.#line('');
  }

  #head(): string {
    const total = this.run.stepsPerEpoch;
    const epoch = `epoch ${this.#epoch + 1}/${this.run.epochs}`;
    if (total === undefined) return `${epoch} · step ${this.#steps}`;
    const done = Math.floor((this.#steps / total) * barWidth);
    const bar = this.#moving ? ` ${'━'.repeat(done)}${'╌'.repeat(barWidth - done)}` : '';
    return `${epoch}${bar} ${this.#steps}/${total}`;
  }

  #speed(now: number): string {
    const rate = this.#steps / ((now - this.#began) / 1000);
    const total = this.run.stepsPerEpoch;
    const left = total === undefined ? '' : ` · ${showSeconds((total - this.#steps) / rate)} left`;
    return `· ${rate.toFixed(0)} steps/s${left}`;
  }

  #redraw(text: string): void {
    const width = this.#stream.columns ?? 100;
    const cut = text.length >= width ? `${text.slice(0, width - 2)}…` : text;
    this.#stream.write(`\r\x1b[2K${cut}`);
    this.#open = true;
  }

  #line(text: string): void {
    this.#stream.write(`${this.#open ? '\r\x1b[2K' : ''}${text}\n`);
    this.#open = false;
  }
}
