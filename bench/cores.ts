/**
 * Whether the machine's cores are ours alone. On shared hosts other programs run on the same cores,
 * or on their other hardware threads, in some seconds and not in others, and whoever is measured
 * meanwhile seems slower. So a measurement waits until the cores are free, and is made again when
 * they were not free after it: for every contestant alike, and by a yardstick that none of them is
 * (multiply-adds on registers; see roofline.c).
 */

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { Contestant } from './contestant.js';
import type { Request } from './protocol.js';

/** Seconds that a look at the cores takes. */
const looking = 0.003;
/** Share of the best rate seen that free cores reach: less is lost to clocks and interrupts. */
const enough = 0.85;
/** What the watch is asked. It has one answer: what stands here does not matter to it. */
const look: Request = { case: { kind: 'startup' }, budget: 0, threads: availableParallelism() };
/** Milliseconds between looks, and for which one measurement waits at most. */
const pause = 20;
const patience = 1500;

export class Cores {
  #best = 0;
  #spare: number;
  #free = 0;
  #all = 0;

  /**
   * @param watch says how fast the slowest core is now
   * @param spare milliseconds that all waiting and measuring again may take
   */
  constructor(
    private readonly watch: Contestant,
    spare: number,
  ) {
    this.#spare = spare;
  }

  /** Has the compiled roofline.c watch. */
  static watchedBy(program: string, spare: number): Cores {
    const values = [String(availableParallelism()), String(looking), 'watch'];
    return new Cores(new Contestant('watch', { command: [program, ...values] }, 10_000), spare);
  }

  /** Learns what free cores reach. */
  async learn(): Promise<void> {
    for (let i = 0; i < 50; i++) await this.areFree();
  }

  /** Share of the measurements during which the cores were free; 1 before any. */
  get freeShare(): number {
    return this.#all === 0 ? 1 : this.#free / this.#all;
  }

  /** Counts a measurement. */
  count(free: boolean): void {
    this.#all++;
    if (free) this.#free++;
  }

  async areFree(): Promise<boolean> {
    const { value } = await this.watch.ask(look);
    if (value === undefined) return true; // a watch that died is none
    this.#best = Math.max(this.#best, value);
    return value >= enough * this.#best;
  }

  /** Resolves once the cores are free, or there is no more time to wait. */
  async wait(): Promise<void> {
    const began = Date.now();
    while (!(await this.areFree()) && Date.now() - began < Math.min(patience, this.#spare)) {
      await sleep(pause);
    }
    this.#spare -= Date.now() - began;
  }

  /** Takes so many milliseconds from the spare time; false where there are not as many. */
  spend(milliseconds: number): boolean {
    if (milliseconds > this.#spare) return false;
    this.#spare -= milliseconds;
    return true;
  }

  end(): void {
    this.watch.end();
  }
}
