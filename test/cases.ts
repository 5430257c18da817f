/** The table of cases: every public operation is in it (conformance.test.ts holds us to that). */

import type { Case } from './case.js';
import { elementwiseCases } from './cases/elementwise.js';

export const cases: readonly Case[] = [...elementwiseCases];
