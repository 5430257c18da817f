/**
 * A journal: tensors of many steps, noted one step after the other in memory of a device that
 * computes apart from the host, and read all at once. So a step waits for nothing.
 */

import type { Backend, Buffer, HostArray } from '../backends/backend.js';
import { bytesPerElement, typedArrayOn } from '../backends/dtype.js';
import { backendOf } from '../backends/registry.js';
import { sameShape } from '../tensor/shape.js';
import type { Shape } from '../tensor/shape.js';
import { fromArray } from '../tensor/tensor.js';
import type { Tensor } from '../tensor/tensor.js';

/** A device that can keep one. */
export type Notebook = Backend & Required<Pick<Backend, 'deferChecks' | 'note'>>;

export const canNote = (backend: Backend): backend is Notebook => backend.note !== undefined;

/** What was noted of one step. */
export interface Noted {
  /** Whether a kernel had refused an index or a label, in this step or one before. */
  readonly refused: boolean;
  /** Copies on the host, in the order of the tensors noted. */
  readonly tensors: readonly Tensor[];
}

/** Entries begin, and tensors in them, at multiples of this. */
const alignment = 8;
const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/** Most entries and most bytes of a journal. */
const mostEntries = 32;
const mostBytes = 2 ** 22;

/** Where in an entry a tensor is. */
interface Place {
  readonly shape: Shape;
  readonly dtype: Tensor['dtype'];
  readonly size: number;
  readonly offset: number;
}

export class Journal {
  readonly #backend: Notebook;
  /** Where kernels note what they refuse: the first thing in every entry. */
  readonly #word: Buffer;
  /** Number of the entry that is written next; kernels read it when they run. */
  readonly #next = new Float64Array(1);
  #memory: Buffer | null = null;
  #layout: readonly Place[] = [];
  #bytes = 0;
  #capacity = 0;

  constructor(backend: Notebook) {
    this.#backend = backend;
    this.#word = backend.allocate('int32', 2);
    this.forgetRefusals();
  }

  /** How many entries there are. */
  get length(): number {
    return this.#next[0]!;
  }

  get isFull(): boolean {
    return this.length >= this.#capacity;
  }

  /** Whether entries of these tensors are like those there are. */
  fits(tensors: readonly Tensor[]): boolean {
    return (
      tensors.length === this.#layout.length &&
      tensors.every(
        ({ shape, dtype }, i) =>
          sameShape(shape, this.#layout[i]!.shape) && dtype === this.#layout[i]!.dtype,
      )
    );
  }

  /** Runs what notes the indices and labels it refuses, instead of waiting for the answer. */
  deferring<T>(body: () => T): T {
    this.#backend.deferChecks(this.#word);
    try {
      return body();
    } finally {
      this.#backend.deferChecks(null);
    }
  }

  /** Writes an entry, of what was arranged for. {@link advance} follows. */
  note(tensors: readonly Tensor[]): void {
    const sources = [this.#word, ...tensors.map((each) => each.buffer)];
    this.#backend.note(this.#memory!, this.#next, sources);
  }

  /** The next entry is another one. */
  advance(): void {
    this.#next[0]!++;
  }

  /** All entries, which leave the journal; waits for the device. */
  takeSync(): Noted[] {
    return this.#taken((used) => this.#backend.readSync(used));
  }

  /** As {@link takeSync} without blocking the event loop. */
  async take(): Promise<Noted[]> {
    return this.#taken((used) => this.#backend.read(used));
  }

  /** From now on updates are made again. */
  forgetRefusals(): void {
    this.#backend.fill(this.#word, -1);
  }

  /** Gives the memory back. */
  end(): void {
    if (this.#memory) this.#backend.release(this.#memory);
    this.#backend.release(this.#word);
    this.#memory = null;
  }

  /** Makes room for entries of these tensors; the journal must be empty unless they fit. */
  arrange(tensors: readonly Tensor[]): void {
    if (this.fits(tensors)) return;
    let offset = aligned(2 * bytesPerElement.int32);
    this.#layout = tensors.map(({ shape, dtype, size }) => {
      const place = { shape, dtype, size, offset };
      offset += aligned(size * bytesPerElement[dtype]);
      return place;
    });
    this.#bytes = offset;
    const wanted = Math.max(1, Math.min(mostEntries, Math.floor(mostBytes / offset)));
    const there = Math.floor((this.#memory?.length ?? 0) / offset);
    // The smaller entries of an epoch's last batch use the memory of the others, which recorded
    // steps go on writing to.
    this.#capacity = Math.min(there, mostEntries);
    if (2 * there >= wanted) return;
    if (this.#memory) this.#backend.release(this.#memory);
    this.#memory = this.#backend.allocate('uint8', wanted * offset);
    this.#capacity = wanted;
  }

  #taken(read: (used: Buffer) => HostArray): Noted[];
  #taken(read: (used: Buffer) => Promise<HostArray>): Promise<Noted[]>;
  #taken(read: (used: Buffer) => HostArray | Promise<HostArray>): Noted[] | Promise<Noted[]> {
    const count = this.length;
    this.#next[0] = 0;
    if (count === 0) return [];
    const found = read(this.#backend.view(this.#memory!, 0, count * this.#bytes));
    return found instanceof Promise
      ? found.then((bytes) => this.#entries(bytes, count))
      : this.#entries(found, count);
  }

  #entries(bytes: HostArray, count: number): Noted[] {
    const host = backendOf('js');
    return Array.from({ length: count }, (_, entry) => {
      const start = bytes.byteOffset + entry * this.#bytes;
      const part = ({ dtype, offset, size }: Omit<Place, 'shape'>): HostArray =>
        typedArrayOn(dtype, bytes.buffer as ArrayBuffer, start + offset, size);
      const word = part({ dtype: 'int32', offset: 0, size: 2 });
      return {
        refused: word[0] !== -1 || word[1] !== -1,
        tensors: this.#layout.map((place) =>
          fromArray(part(place) as never, place.shape, place.dtype, host),
        ),
      };
    });
  }
}
