/**
 * The conformance suite of backends: every method of the Backend interface against naive
 * references, at all dtypes and at the sizes where code goes wrong. Random numbers must agree to
 * the bit, everything else to a stated number of roundings.
 */

import { describe } from 'vitest';

import type { Backend } from '../src/backends/backend.js';
import { elementwiseTests } from './conformance/elementwise.js';
import { Bench } from './conformance/harness.js';
import { matrixTests } from './conformance/matrices.js';
import { memoryTests } from './conformance/memory.js';
import { movementTests } from './conformance/movement.js';
import { randomTests } from './conformance/random.js';
import { reductionTests } from './conformance/reductions.js';
import { rowTests } from './conformance/rows.js';
import { sortingTests } from './conformance/sorting.js';
import { trainingTests } from './conformance/training.js';

/** Runs the whole suite on the backend that `create` gives. */
export function describeBackend(name: string, create: () => Backend): void {
  describe(`backend ${name}`, () => {
    const bench = new Bench(create());
    describe('memory', () => memoryTests(bench));
    describe('elementwise', () => elementwiseTests(bench));
    describe('movement', () => movementTests(bench));
    describe('sorting', () => sortingTests(bench));
    describe('reductions', () => reductionTests(bench));
    describe('matrices', () => matrixTests(bench));
    describe('rows', () => rowTests(bench));
    describe('randomness', () => randomTests(bench));
    describe('training', () => trainingTests(bench));
  });
}
