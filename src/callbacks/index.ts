/** The callbacks there are. */

export { BackupAndRestore } from './backup-and-restore.js';
export type { BackupAndRestoreOptions } from './backup-and-restore.js';
export { Callback, LambdaCallback } from './callback.js';
export type { CallbackState, Logs, Position, Resumption, RunInfo } from './callback.js';
export { CSVLogger } from './csv-logger.js';
export type { CSVLoggerOptions } from './csv-logger.js';
export { EarlyStopping } from './early-stopping.js';
export type { EarlyStoppingOptions } from './early-stopping.js';
export { History } from './history.js';
export { LearningRateScheduler } from './learning-rate-scheduler.js';
export type { LearningRateSchedulerOptions, RateFunction } from './learning-rate-scheduler.js';
export { ModelCheckpoint } from './model-checkpoint.js';
export type { ModelCheckpointOptions } from './model-checkpoint.js';
export type { Mode, MonitorOptions } from './monitor.js';
export { OneCycleScheduler } from './one-cycle.js';
export type { OneCycleSchedulerOptions } from './one-cycle.js';
export { ProgressBar } from './progress-bar.js';
export type { ProgressBarOptions } from './progress-bar.js';
export { ReduceLROnPlateau } from './reduce-lr-on-plateau.js';
export type { ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.js';
export { SwapEMAWeights } from './swap-ema-weights.js';
export type { SwapEMAWeightsOptions } from './swap-ema-weights.js';
export { TensorBoard } from './tensorboard.js';
export type { TensorBoardOptions } from './tensorboard.js';
export { TerminateOnNaN } from './terminate-on-nan.js';
export type { TerminateOnNaNOptions } from './terminate-on-nan.js';
