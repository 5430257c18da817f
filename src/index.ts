/** The public surface of the package: what is not exported here is not part of it. */

import './ops/methods.js';

// Tensors.
export { Tensor } from './tensor/tensor.js';
export type { ElementOf, Nested } from './tensor/tensor.js';
export type { Shape } from './tensor/shape.js';
export type { DataTypes, DType, FloatDType } from './backends/dtype.js';
export {
  arange, eye, full, linspace, ones, onesLike, tensor, zeros, zerosLike,
} from './tensor/create.js'; // prettier-ignore
export type { CreateOptions, TensorLike } from './tensor/create.js';
export {
  bernoulli, defaultGenerator, Generator, normal, permutation, rand, randint, randn, seed,
  truncatedNormal, uniform,
} from './tensor/random.js'; // prettier-ignore
export type { GeneratorState, RandomOptions } from './tensor/random.js';

// Operations.
export {
  abs, acos, add, affine, asin, atan, atan2, ceil, celu, clip, cos, cosh, div, elu, equal, erf,
  exp, expm1, floor, floorDiv, gelu, greater, greaterEqual, hardSigmoid, hardSilu, isFinite, isInf,
  isNaN, leakyRelu, less, lessEqual, log, log1p, logicalAnd, logicalNot, logicalOr, logicalXor,
  logSigmoid, maximum, minimum, mish, mod, mul, mulAdd, neg, notEqual, pow, prelu, reciprocal,
  relu, relu6, round, rsqrt, selu, sigmoid, sign, silu, sin, sinh, softplus, softsign, sqrt, square,
  squaredDifference, sub, tan, tanh, where,
} from './ops/elementwise.js'; // prettier-ignore
export type { Operand } from './ops/elementwise.js';
export { cast } from './ops/cast.js';
export {
  broadcastTo, concat, expandDims, flatten, reshape, split, squeeze, stack, swapAxes, tile,
  transpose,
} from './ops/move.js'; // prettier-ignore
export { flip, pad, slice } from './ops/slice.js';
export type { Range } from './ops/slice.js';
export { gather, oneHot, scatterAdd, takeAlongAxis } from './ops/gather.js';
export { argsort, sort, topK } from './ops/sort.js';
export type { Sorted, SortOptions, TopKOptions } from './ops/sort.js';
export { all, any, argMax, argMin, cumsum, max, min, prod, sum } from './ops/reduce.js';
export type { Axes, CumsumOptions, ReduceOptions } from './ops/reduce.js';
export { logSumExp, mean, norm, std, variance } from './ops/statistics.js';
export type { NormOptions, VarianceOptions } from './ops/statistics.js';
export { matmul } from './ops/matmul.js';
export type { MatmulOptions } from './ops/matmul.js';
export { dense } from './ops/dense.js';
export type { FusedActivation } from './ops/dense.js';
export { logSoftmax, softmax, softmaxCrossEntropy } from './ops/softmax.js';
export { batchNorm, batchNormInference, layerNorm } from './ops/normalize.js';
export type { BatchNormResult, LayerNormOptions, NormalizeOptions } from './ops/normalize.js';
export { alphaDropout, dropout, gaussianDropout, gaussianNoise } from './ops/dropout.js';
export type { NoiseOptions } from './ops/dropout.js';

// Gradients.
export { backward, noGrad } from './autograd/tape.js';
export type { BackwardOptions } from './autograd/tape.js';
export { grad, valueAndGrad } from './autograd/functional.js';
export type { Differentiable, GradientOf } from './autograd/functional.js';
export { customOp } from './autograd/custom.js';
export type { CustomContext, CustomOp } from './autograd/custom.js';
export { gradcheck, gradgradcheck } from './autograd/gradcheck.js';
export type { Checkable, GradcheckOptions } from './autograd/gradcheck.js';

// Devices and memory.
export {
  describeDevices, device, deviceStatistics, precision, setDevice, setMemoryLimit, setPrecision,
  setThreads, threads,
} from './backends/registry.js'; // prettier-ignore
export type { Device, DeviceReport } from './backends/registry.js';
export type { CopyStatistics, DeviceStatistics } from './backends/backend.js';
export type { Precision } from './backends/precision.js';
export { clearPool, memory, tidy } from './tensor/memory.js';
export { timeOnDevice } from './tensor/timing.js';
export type { Timed, TimeOptions } from './tensor/timing.js';
export type { MemoryCounters, MemoryReport } from './tensor/memory.js';
export { Scope } from './tensor/storage.js';

// Errors.
export {
  DeviceError, DTypeError, FileError, GradientError, GradloomError, MemoryError, ShapeError,
  ValueError,
} from './errors.js'; // prettier-ignore

// Networks and their training.
export * as layers from './layers/index.js';
export { input, Layer } from './layers/index.js';
export type { CallContext, LayerOptions, SymbolicTensor, Weight } from './layers/index.js';
export { Functional } from './models/functional.js';
export type { FunctionalOptions } from './models/functional.js';
export { Model } from './models/model.js';
export type {
  CompileOptions, EvaluateOptions, FitOptions, PredictOptions, ValidationData,
} from './models/model.js'; // prettier-ignore
export type { MonteCarloOptions, Uncertainty } from './models/monte-carlo.js';
export { Sequential } from './models/sequential.js';
export { loadModel, registerLayer } from './models/load.js';
export type { LoadOptions } from './models/load.js';
export type { LoadReport, LoadWeightsOptions } from './models/load-weights.js';
export type { SaveOptions } from './models/save.js';
export { findLearningRate } from './models/find-learning-rate.js';
export type { FindLearningRateOptions } from './models/find-learning-rate.js';
export { RateCurve } from './models/rate-curve.js';
export * as activations from './activations.js';
export { register as registerActivation } from './activations.js';
export * as callbacks from './callbacks/index.js';
export * as constraints from './constraints.js';
export * as datasets from './data/index.js';
export * as diagnostics from './diagnostics/index.js';
export { diagnose, GradientHealth } from './diagnostics/index.js';
export * as io from './io/index.js';
export * as initializers from './initializers/index.js';
export * as losses from './losses/index.js';
export * as metrics from './metrics/index.js';
export * as optimizers from './optimizers/index.js';
export * as regularizers from './regularizers.js';
export * as schedules from './schedules.js';
