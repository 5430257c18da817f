/** The callbacks there are. */

export { Callback, LambdaCallback } from './callback.js';
export type { Logs, RunInfo } from './callback.js';
export { EarlyStopping } from './early-stopping.js';
export type { EarlyStoppingOptions } from './early-stopping.js';
export { History } from './history.js';
export { ProgressBar } from './progress-bar.js';
export type { ProgressBarOptions } from './progress-bar.js';
