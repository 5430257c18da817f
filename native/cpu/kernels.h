// The kernels of one instruction set, as tables of function pointers, and the structures they take.
// What each does and which sizes its arrays have: src/backends/backend.ts, same names and order.
//
// Kernels trust their arguments: native/api checks them. This header has no functions with bodies,
// so that nothing compiled for one instruction set can be linked into another.
#pragma once

#include "cpu/random.h"
#include "cpu/tables.h"

namespace gradloom {

// Most operands an elementwise kernel has.
constexpr int maxOperands = 4;

// Operands of an elementwise kernel: `step` is 1 for an array of the output's length, 0 for one
// value throughout.
template <class T>
struct Operands {
  const T* at[maxOperands];
  int64_t step[maxOperands];
};

// Three nested loops: counts, and each operand's strides in elements. The output is contiguous.
struct Walk {
  int64_t count[3];
  int64_t stride[maxOperands][3];
};

// For every element type.
template <class T>
struct TypeKernels {
  void (*map)(int kernel, void* out, const Operands<T>& x, int64_t n, double p, double q);
  void (*mapStrided)(int kernel, void* out, const T* const* x, const Walk& walk, double p,
                     double q);
  void (*cast)(DType to, void* out, const T* a, int64_t n);
  void (*castToBool)(uint8_t* out, const T* a, int64_t n);
  void (*fill)(T* out, double value, int64_t n);
  void (*reduce)(Reduction reduction, void* out, const T* a, int64_t outer, int64_t n,
                 int64_t inner);
  // index may be null; so may center and scale, both of them, which step by 0 or 1 through the
  // width.
  void (*loadRowsFloat)(float* out, const T* data, const int32_t* index, const float* center,
                        const float* scale, int64_t step, int64_t n, int64_t count, int64_t width);
  void (*loadRowsDouble)(double* out, const T* data, const int32_t* index, const double* center,
                         const double* scale, int64_t step, int64_t n, int64_t count,
                         int64_t width);
};

// For every size of elements; T is the unsigned type of that size.
template <class T>
struct SizeKernels {
  void (*select)(T* out, const uint8_t* condition, int64_t conditionStep, const T* a, int64_t aStep,
                 const T* b, int64_t bStep, int64_t n);
};

// For float and double. Pointers the interface calls nullable may be null.
template <class T>
struct RealKernels {
  void (*matmul)(T* out, const T* a, const T* b, int64_t batch, int64_t m, int64_t n, int64_t k,
                 int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate);
  void (*dense)(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
                int64_t features, int activation, double p, double q);
  void (*denseBackward)(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w,
                        const T* y, const T* pre, int64_t rows, int64_t units, int64_t features,
                        int derivative, double p, double q, bool accumulate);
  void (*softmax)(T* out, const T* a, int64_t rows, int64_t columns, bool logarithm);
  void (*softmaxBackward)(T* out, const T* g, const T* y, int64_t rows, int64_t columns,
                          bool logarithm);
  // One of labels and probabilities is null. Labels outside [0, classes) are to be passed over.
  void (*crossEntropy)(T* loss, T* difference, const T* logits, const int32_t* labels,
                       const T* probabilities, int64_t rows, int64_t classes);
  void (*scaleRows)(T* out, const T* a, const T* scale, int64_t rows, int64_t columns,
                    double factor);
  void (*batchNorm)(T* out, T* mean, T* inverse, T* variance, const T* x, const T* gamma,
                    const T* beta, int64_t rows, int64_t channels, double epsilon);
  void (*batchNormBackward)(T* dx, T* dgamma, T* dbeta, const T* g, const T* x, const T* mean,
                            const T* inverse, const T* gamma, int64_t rows, int64_t channels);
  // `count` parameters at once, number i of lengths[i] elements; its state variable s is
  // states[i * stateCount + s]. hyper in the order of hyperNames().
  void (*update)(int update, int64_t count, T* const* parameters, const T* const* gradients,
                 T* const* states, const int64_t* lengths, const double* hyper);
};

struct Kernels {
  const char* name;
  int vectorBytes;
  TypeKernels<float> float32;
  TypeKernels<double> float64;
  TypeKernels<int32_t> int32;
  TypeKernels<uint8_t> uint8;
  SizeKernels<uint8_t> size1;
  SizeKernels<uint32_t> size4;
  SizeKernels<uint64_t> size8;
  RealKernels<float> real32;
  RealKernels<double> real64;
  const RandomKernels& (*random)();
};

// The best instruction set of this machine, or the one that the environment variable GRADLOOM_ISA
// names, when the machine has it. Always the same within a process.
const Kernels& kernels();

// The instruction sets that the build and the machine have, best first; null past the last.
const Kernels* kernelsAt(int index);
// An instruction set by name; null where the build or the machine lacks it.
const Kernels* kernelsNamed(const char* name);

// One line on processor, instruction set and threads.
struct Description {
  char text[320];
};
Description describe();

}  // namespace gradloom
