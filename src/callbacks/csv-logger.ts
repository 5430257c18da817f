/** Logged numbers as a table in a file. */

import { appendFile, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { FileError } from '../errors.js';
import { checkOptionNames } from '../names.js';
import { explainFileError } from '../io/file-errors.js';
import { checkFlag, checkText } from '../values.js';
import { Callback } from './callback.js';
import type { CallbackState } from './callback.js';
import { checkPath } from './file-template.js';

export interface CSVLoggerOptions {
  /** Default a comma. */
  readonly separator?: string;
  /** Go on with a file that is there instead of replacing it. Default false. */
  readonly append?: boolean;
}

const known: readonly (keyof CSVLoggerOptions)[] = ['separator', 'append'];

/**
 * One row per epoch: its number (from 0), then what was logged, by name. A number that is missing
 * later on is written as NA.
 */
export class CSVLogger extends Callback {
  readonly path: string;
  readonly #separator: string;
  readonly #append: boolean;
  /** Names of the columns after the epoch, once they are known. */
  #columns: readonly string[] | null = null;

  constructor(path: string, options: CSVLoggerOptions = {}) {
    super();
    checkPath('CSVLogger', path);
    checkOptionNames('CSVLogger', options, known);
    this.path = path;
    this.#separator = checkText(options.separator ?? ',', 'CSVLogger: separator');
    this.#append = checkFlag(options.append ?? false, 'CSVLogger: append');
  }

  override onTrainBegin(): void {
    this.#columns = null;
  }

  override async onEpochEnd(epoch: number, logs: Record<string, number>): Promise<void> {
    try {
      this.#columns ??= await this.#begin(Object.keys(logs).sort());
      const row = this.#columns.map((name) => String(logs[name] ?? 'NA'));
      await appendFile(this.path, this.#line([String(epoch), ...row]));
    } catch (error) {
      throw explainFileError(error, 'write', this.path);
    }
  }

  /** Writes the head of a new file, or reads that of the file to go on with. */
  async #begin(names: readonly string[]): Promise<readonly string[]> {
    const line = this.#line(['epoch', ...names]);
    const head = this.#append ? await firstLine(this.path) : '';
    if (head === line) return names;
    if (head === '') {
      await mkdir(dirname(this.path), { recursive: true });
      await writeFile(this.path, line);
      return names;
    }
    throw new FileError(
      `cannot go on with ${this.path}: its columns are ${head.trimEnd()}, this run logs ` +
        `${line.trimEnd()}; choose another file`,
    );
  }

  #line(cells: readonly string[]): string {
    const quoted = cells.map((cell) =>
      cell.includes(this.#separator) || /["\n]/.test(cell)
        ? `"${cell.replaceAll('"', '""')}"`
        : cell,
    );
    return `${quoted.join(this.#separator)}\n`;
  }

  override async state(): Promise<CallbackState> {
    const columns = this.#columns;
    const bytes = columns ? (await stat(this.path)).size : 0;
    return { values: { columns, bytes } };
  }

  /** Rows written after the state was taken are about to be written again. */
  override async restore({ values }: CallbackState): Promise<void> {
    const columns = values['columns'] as readonly string[] | null;
    const bytes = values['bytes'] as number;
    if (!columns) return;
    try {
      const { size } = await stat(this.path);
      // A shorter file is another one, and begins anew.
      if (size < bytes) return;
      await truncate(this.path, bytes);
      this.#columns = columns;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw explainFileError(error, 'write', this.path);
      }
    }
  }
}

async function firstLine(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    return text.slice(0, text.indexOf('\n') + 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
