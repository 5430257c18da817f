/** Compiled against the installed package's types. */
import { tensor, type Tensor } from 'gradloom';

const x: Tensor = tensor([
  [1, 2],
  [3, 4],
]);
const shape: readonly number[] = x.matmul(x).shape;
export const rows: number | undefined = shape[0];
