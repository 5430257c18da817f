/** What callbacks have to say while a model is being trained: lines on standard error. */

/** Goes to the line's beginning and empties it, where a progress bar may stand. */
const clearLine = '\r\x1b[2K';

/** Writes a line to standard error: who speaks, and what. */
export function say(speaker: string, what: string): void {
  process.stderr.write(`${process.stderr.isTTY ? clearLine : ''}${speaker}: ${what}\n`);
}
