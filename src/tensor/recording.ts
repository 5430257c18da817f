/**
 * Recordings: the kernels that a piece of code called, to be run again by one call into C++.
 *
 * Code that makes the same calls every time, as a training step of fixed shapes does, costs more in
 * JavaScript than in small kernels. A recording runs them again on the same memory: what the code
 * read lies where it lay, with new values, and so do its results. Random numbers go on in the
 * stream of the default generator as the code would have taken them.
 */

import type { Backend } from '../backends/backend.js';
import { defaultGenerator } from './random.js';
import { hostAccesses, Scope } from './storage.js';

/** What a device has that can record. */
export type Recorder = Required<
  Pick<Backend, 'startRecording' | 'finishRecording' | 'replay' | 'forget'>
>;

/** Whether a device can record. */
export const canRecord = (backend: Backend): backend is Backend & Recorder =>
  backend.replay !== undefined;

/** Forgets programs that were lost without {@link Recording.end}. */
const lost = new FinalizationRegistry(
  ({ device, program }: { device: Recorder; program: number }) => device.forget(program),
);

export class Recording {
  readonly #device: Recorder;
  readonly #program: number;
  /** Holds the memory of everything made while recording. */
  readonly #scope: Scope;
  /** Blocks of random numbers taken. */
  readonly #drawn: number;

  private constructor(device: Recorder, program: number, scope: Scope, drawn: number) {
    this.#device = device;
    this.#program = program;
    this.#scope = scope;
    this.#drawn = drawn;
    lost.register(this, { device, program }, this);
  }

  /**
   * Runs `body`, recording what it calls on one device. The recording is null when it cannot be run
   * again: values went to JavaScript meanwhile, so that other values might have led elsewhere, or
   * random numbers came from a generator of the body's own. What the body returns stays valid until
   * {@link end}; without a recording, until `scope` ends.
   */
  static of<T>(
    backend: Backend & Recorder,
    body: () => T,
  ): { readonly result: T; readonly recording: Recording | null; readonly scope: Scope } {
    const before = defaultGenerator.take(0);
    const accesses = hostAccesses.count;
    backend.startRecording(before.key0, before.key1, before.counter0, before.counter1);
    const scope = new Scope();
    let program = -1;
    try {
      const result = body();
      scope.leave();
      program = backend.finishRecording();
      const after = defaultGenerator.take(0);
      const drawn = after.counter0 - before.counter0 + 2 ** 32 * (after.counter1 - before.counter1);
      const sameStream = after.key0 === before.key0 && after.key1 === before.key1 && drawn >= 0;
      if (program >= 0 && sameStream && hostAccesses.count === accesses) {
        return { result, recording: new Recording(backend, program, scope, drawn), scope };
      }
      if (program >= 0) backend.forget(program);
      return { result, recording: null, scope };
    } catch (error) {
      if (program < 0) program = backend.finishRecording();
      if (program >= 0) backend.forget(program);
      scope.end();
      throw error;
    }
  }

  /**
   * Runs everything again. False when a kernel refused an index or a label; the calls behind it
   * were not made, and random numbers are where they were. Throws TypeError when memory that the
   * code used was transferred to someone else.
   */
  replay(): boolean {
    const { key0, key1, counter0, counter1 } = defaultGenerator.take(0);
    const stopped = this.#device.replay(this.#program, key0, key1, counter0, counter1);
    if (stopped >= 0) return false;
    defaultGenerator.take(4 * this.#drawn);
    return true;
  }

  /** Gives the memory back. */
  end(): void {
    if (!lost.unregister(this)) return;
    this.#device.forget(this.#program);
    this.#scope.end();
  }
}
