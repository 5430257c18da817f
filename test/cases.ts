/** The table of cases: every public operation is in it (conformance.test.ts holds us to that). */

import type { Case } from './case.js';
import { creationCases } from './cases/creation.js';
import { elementwiseCases } from './cases/elementwise.js';
import { goldenCases } from './cases/golden.js';
import { integerCases } from './cases/integers.js';
import { matrixCases } from './cases/matrices.js';
import { movementCases } from './cases/movement.js';
import { normalizationCases } from './cases/normalization.js';
import { reductionCases } from './cases/reductions.js';

export const cases: readonly Case[] = [
  ...elementwiseCases,
  ...integerCases,
  ...matrixCases,
  ...movementCases,
  ...reductionCases,
  ...normalizationCases,
  ...creationCases,
  ...goldenCases,
];
