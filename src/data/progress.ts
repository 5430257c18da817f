/** What a dataset loader tells its caller while it works. */

/** One report of progress. `total` is 0 where it is not known. */
export interface DataProgress {
  /**
   * `wait`: another process is fetching the same files. `download`, `unpack`: bytes fetched, files
   * unpacked. `fallback`: something failed and the loader goes on another way. `load`: files read
   * from the cache.
   */
  readonly stage: 'wait' | 'download' | 'unpack' | 'fallback' | 'load';
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'files' | 'seconds' | 'sources';
  /** One line for people, such as "downloading cifar-10-binary.tar.gz". */
  readonly message: string;
}

/** What every step of fetching a dataset is given. */
export interface Watch {
  readonly report: (progress: DataProgress) => void;
  readonly signal: AbortSignal | undefined;
}

/** `bytes` as people write it: "139 MB". */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en')} MB`;
}
