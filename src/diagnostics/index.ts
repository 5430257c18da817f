/** Examining models: what gradients, activations and updates look like, and what is wrong. */

export { diagnose } from './diagnose.js';
export type { Finding, FindingKind } from './findings.js';
export { GradientHealth } from './gradient-health.js';
export type { GradientHealthOptions } from './gradient-health.js';
export type { LayerHealth } from './measure.js';
export { HealthReport } from './report.js';
