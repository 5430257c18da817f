/**
 * The operations as methods: `x.add(y)` is `add(x, y)`. One list of names per kind of result gives
 * both the methods themselves and their types; arguments and documentation are the functions' own.
 * Loading this file adds the methods to Tensor.
 */

import type { DType, FloatDType, FloatOf, SumOf } from '../backends/dtype.js';
import type { Device } from '../backends/registry.js';
import { backward } from '../autograd/tape.js';
import type { BackwardOptions } from '../autograd/tape.js';
import type { TensorLike } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import type { Shape } from '../tensor/shape.js';
import { broadcastTo } from './broadcast.js';
import { cast } from './cast.js';
import * as dropout from './dropout.js';
import * as elementwise from './elementwise.js';
import * as gather from './gather.js';
import * as matmul from './matmul.js';
import * as move from './move.js';
import * as reduce from './reduce.js';
import * as slice from './slice.js';
import * as softmax from './softmax.js';
import * as sort from './sort.js';
import * as statistics from './statistics.js';
import { toDevice } from './to-device.js';

// ---- the lists ----------------------------------------------------------------------------------
/* prettier-ignore */
const lists = {
  // The tensor's own dtype.
  move: ['reshape', 'flatten', 'squeeze', 'expandDims', 'transpose', 'swapAxes', 'tile'],
  slice: ['slice', 'flip', 'pad'],
  gather: ['gather', 'scatterAdd', 'takeAlongAxis'],
  sort: ['sort'],
  extremes: ['max', 'min'],
  dropout: ['dropout', 'alphaDropout', 'gaussianNoise', 'gaussianDropout'],
  // Its own dtype, int32 for bool.
  numbers: ['neg', 'abs', 'sign', 'square', 'clip'],
  sums: ['sum', 'prod', 'cumsum'],
  // Its own dtype when that is a float, else float32.
  floats: [
    'affine', 'reciprocal', 'sqrt', 'rsqrt', 'floor', 'ceil', 'round', 'exp', 'expm1', 'log',
    'log1p', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'erf',
    'sigmoid', 'logSigmoid', 'softplus', 'softsign', 'relu', 'relu6', 'leakyRelu', 'elu', 'celu',
    'selu', 'gelu', 'silu', 'mish', 'hardSigmoid', 'hardSilu',
  ],
  statistics: ['mean', 'variance', 'std', 'logSumExp', 'norm'],
  softmax: ['softmax', 'logSoftmax'],
  // The widest dtype of the operands, as numbers or as floats.
  arithmetic: [
    'add', 'sub', 'mul', 'minimum', 'maximum', 'mod', 'floorDiv', 'squaredDifference',
  ],
  fused: ['mulAdd'],
  floatArithmetic: ['div', 'pow', 'atan2', 'prelu'],
  matmul: ['matmul'],
  // A fixed dtype, or something that is not a tensor.
  truths: [
    'equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual',
    'logicalAnd', 'logicalOr', 'logicalXor', 'logicalNot', 'isNaN', 'isFinite', 'isInf',
  ],
  reducedTruths: ['any', 'all'],
  positions: ['argMax', 'argMin'],
  argsort: ['argsort'],
  split: ['split'],
  topK: ['topK'],
} as const;

// ---- types --------------------------------------------------------------------------------------

type Lists = typeof lists;

/** The arguments of a function after the first. */
type Rest<F> = F extends (x: never, ...rest: infer R) => unknown ? R : never;

type Names<L extends keyof Lists> = Lists[L][number];

/** Methods for the functions called N of module M, giving R. */
type Methods<M, N extends keyof M, R> = { [K in N]: (...rest: Rest<M[K]>) => R };

/** The wider of two dtypes. */
type Wider<A extends DType, B extends DType> = A extends 'float64'
  ? A
  : B extends 'float64'
    ? B
    : A extends 'float32'
      ? A
      : B extends 'float32'
        ? B
        : A extends 'int32'
          ? A
          : B extends 'int32'
            ? B
            : A extends 'uint8'
              ? A
              : B;

type NumberOf<D extends DType> = D extends 'bool' ? 'int32' : D;

/** What a number or an array beside a tensor counts as: a fraction makes float32 of integers. */
type Beside<D extends DType> = D extends FloatDType ? D : DType;

/* eslint-disable @typescript-eslint/consistent-indexed-object-style --
   a Record would lose the functions' documentation */
/** Methods for the functions called N of module M, of two operands and with a number result. */
type Arithmetic<M, N extends keyof M, D extends DType> = {
  [K in N]: <E extends DType = Beside<D>>(other: TensorLike<E>) => Tensor<NumberOf<Wider<D, E>>>;
};

/** The same of three operands. */
type FusedArithmetic<M, N extends keyof M, D extends DType> = {
  [K in N]: <E extends DType = Beside<D>, F extends DType = Beside<D>>(
    second: TensorLike<E>,
    third: TensorLike<F>,
  ) => Tensor<NumberOf<Wider<Wider<D, E>, F>>>;
};

/** The same of two with a float result. */
type FloatArithmetic<M, N extends keyof M, D extends DType> = {
  [K in N]: <E extends DType = Beside<D>>(other: TensorLike<E>) => Tensor<FloatOf<Wider<D, E>>>;
};

/* eslint-enable @typescript-eslint/consistent-indexed-object-style */

declare module '../tensor/tensor.js' {
  interface Tensor<D extends DType = DType>
    extends
      Methods<typeof move, Names<'move'>, Tensor<D>>,
      Methods<typeof slice, Names<'slice'>, Tensor<D>>,
      Methods<typeof gather, Names<'gather'>, Tensor<D>>,
      Methods<typeof sort, Names<'sort'>, Tensor<D>>,
      Methods<typeof reduce, Names<'extremes'>, Tensor<D>>,
      Methods<typeof dropout, Names<'dropout'>, Tensor<D>>,
      Methods<typeof elementwise, Names<'numbers'>, Tensor<NumberOf<D>>>,
      Methods<typeof reduce, Names<'sums'>, Tensor<SumOf<D>>>,
      Methods<typeof elementwise, Names<'floats'>, Tensor<FloatOf<D>>>,
      Methods<typeof statistics, Names<'statistics'>, Tensor<FloatOf<D>>>,
      Methods<typeof softmax, Names<'softmax'>, Tensor<FloatOf<D>>>,
      Arithmetic<typeof elementwise, Names<'arithmetic'>, D>,
      FusedArithmetic<typeof elementwise, Names<'fused'>, D>,
      FloatArithmetic<typeof elementwise, Names<'floatArithmetic'>, D>,
      Methods<typeof matmul, Names<'matmul'>, Tensor>,
      Methods<typeof elementwise, Names<'truths'>, Tensor<'bool'>>,
      Methods<typeof reduce, Names<'reducedTruths'>, Tensor<'bool'>>,
      Methods<typeof reduce, Names<'positions'>, Tensor<'int32'>>,
      Methods<typeof sort, Names<'argsort'>, Tensor<'int32'>>,
      Methods<typeof move, Names<'split'>, Tensor<D>[]>,
      Methods<typeof sort, Names<'topK'>, sort.Sorted<D>> {
    /** Adds the gradient of this scalar to `.grad` of every leaf it was computed from. */
    backward(options?: BackwardOptions): void;
    /** The values in another dtype; see the function `cast`. */
    cast<E extends DType>(dtype: E): Tensor<E>;
    /**
     * The same values on another device (this very tensor when it is there already).
     * Differentiable: gradients come back to this device.
     */
    to(device: Device): Tensor<D>;
    /** The tensor repeated to a larger shape; see the function `broadcastTo`. */
    broadcastTo(shape: Shape): Tensor<D>;
  }
}

// ---- the methods --------------------------------------------------------------------------------

type Operation = (x: Tensor, ...rest: unknown[]) => unknown;

function install(name: string, operation: Operation): void {
  Object.defineProperty(Tensor.prototype, name, {
    value: function (this: Tensor, ...rest: unknown[]) {
      return operation(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

const modules = { ...dropout, ...elementwise, ...gather, ...matmul, ...move, ...reduce, ...slice };
const operations = { ...modules, ...softmax, ...sort, ...statistics };

for (const list of Object.values(lists)) {
  for (const name of list) install(name, operations[name] as unknown as Operation);
}
install('backward', backward as Operation);
install('cast', cast as Operation);
install('to', toDevice as Operation);
install('broadcastTo', broadcastTo as Operation);
