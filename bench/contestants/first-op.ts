/** What the start-up case runs: import the package, add two tensors, end. */

import { add, tensor } from 'gradloom';

if (add(tensor([1, 2]), 1).dataSync()[1] !== 3) process.exitCode = 1;
