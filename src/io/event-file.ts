/**
 * TensorBoard's event files: records with check sums, each an `Event` message. What is written is
 * what TensorFlow 2's summary writer writes; field numbers are those of event.proto, summary.proto,
 * tensor.proto and the hparams plugin's .proto files.
 */

import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { maskedCrc32c } from './crc32c.js';
import { explainFileError } from './file-errors.js';
import { histogramOf } from './histogram.js';
import { Message } from './protobuf.js';

/** A setting of a run, for TensorBoard's table of runs. */
export type HyperParameter = number | string | boolean;

const dataClass = { unknown: 0, scalar: 1, tensor: 2, blobs: 3 } as const;
const dataType = { float32: 1, float64: 2, string: 7 } as const;
const sessionStart = 1;

let files = 0;

/** One event file of a directory, made when something is first written. */
export class EventFile {
  readonly path: string;
  readonly #directory: string;
  readonly #startStep: number | null;
  #file: FileHandle | null = null;
  #pending: Uint8Array[] = [];

  /**
   * @param startStep readers forget what earlier files of the directory hold from this step on: it
   *   is written again; null: they show both
   */
  constructor(directory: string, startStep: number | null = null) {
    this.#directory = directory;
    this.#startStep = startStep;
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}.v2`;
    this.path = join(directory, name);
  }

  /** One point of a curve. */
  scalar(tag: string, value: number, step: number): void {
    this.#summary(tag, step, 'scalars', dataClass.scalar, scalarTensor(value));
  }

  /** How values are distributed, in 30 buckets; NaN and infinities are left out. */
  histogram(tag: string, values: ArrayLike<number>, step: number): void {
    const buckets = histogramOf(values);
    const tensor = new Message()
      .integer(1, dataType.float64)
      .message(2, shapeMessage([buckets.length / 3, 3]))
      .bytes(4, new Uint8Array(buckets.buffer));
    this.#summary(tag, step, 'histograms', dataClass.tensor, tensor);
  }

  /** A text in Markdown. */
  text(tag: string, markdown: string, step: number): void {
    this.#summary(tag, step, 'text', dataClass.tensor, stringTensor(markdown));
  }

  /** A model's structure, in the JSON that Keras writes. */
  kerasModel(json: string): void {
    const content = Buffer.from('1');
    this.#summary('keras', 0, 'graph_keras_model', dataClass.blobs, stringTensor(json), content);
  }

  /** What this run was started with. */
  hyperParameters(values: Readonly<Record<string, HyperParameter>>, group: string): void {
    const start = new Message();
    for (const [name, value] of Object.entries(values)) {
      start.message(1, new Message().string(1, name).message(2, valueMessage(value)));
    }
    start.string(4, group).double(5, Date.now() / 1000);
    this.#hyper('session_start_info', new Message().integer(1, 0).message(3, start));
  }

  /** How the run ended. */
  hyperParametersEnd(success: boolean): void {
    const end = new Message().integer(1, success ? 1 : 2).double(2, Date.now() / 1000);
    this.#hyper('session_end_info', new Message().integer(1, 0).message(4, end));
  }

  /** Writes everything given so far to the file. Throws FileError. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const records = Buffer.concat(this.#pending.map(recordOf));
    this.#pending = [];
    try {
      if (!this.#file) await this.#open();
      await this.#file!.appendFile(records);
    } catch (error) {
      throw explainFileError(error, 'write', this.path);
    }
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = null;
  }

  async #open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    this.#file = await open(this.path, 'a');
    const first = [
      event().string(3, 'brain.Event:2').message(10, new Message().string(1, 'gradloom')),
    ];
    if (this.#startStep !== null) {
      const session = new Message().integer(1, sessionStart);
      first.push(event().integer(2, this.#startStep).message(7, session));
    }
    await this.#file.appendFile(Buffer.concat(first.map((each) => recordOf(each.encode()))));
  }

  #hyper(name: string, content: Message): void {
    const tag = `_hparams_/${name}`;
    this.#summary(tag, 0, 'hparams', dataClass.tensor, scalarTensor(0), content.encode());
  }

  #summary(
    tag: string,
    step: number,
    plugin: string,
    kind: number,
    tensor: Message,
    content: Uint8Array = new Uint8Array(0),
  ): void {
    const pluginData = new Message().string(1, plugin).bytes(2, content);
    const metadata = new Message().message(1, pluginData).integer(4, kind);
    const value = new Message().string(1, tag).message(8, tensor).message(9, metadata);
    this.#pending.push(
      event().integer(2, step).message(5, new Message().message(1, value)).encode(),
    );
  }
}

/** An event of now. */
const event = (): Message => new Message().double(1, Date.now() / 1000);

/** Length, check sum of the length, data, check sum of the data. */
function recordOf(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return record;
}

function shapeMessage(shape: readonly number[]): Message {
  const message = new Message();
  for (const extent of shape) message.message(2, new Message().integer(1, extent));
  return message;
}

function scalarTensor(value: number): Message {
  return new Message()
    .integer(1, dataType.float32)
    .message(2, new Message())
    .bytes(4, new Uint8Array(Float32Array.of(value).buffer));
}

function stringTensor(text: string): Message {
  return new Message().integer(1, dataType.string).message(2, new Message()).string(8, text);
}

/** google.protobuf.Value. */
function valueMessage(value: HyperParameter): Message {
  if (typeof value === 'number') return new Message().double(2, value);
  if (typeof value === 'string') return new Message().string(3, value);
  return new Message().integer(4, value ? 1 : 0);
}
