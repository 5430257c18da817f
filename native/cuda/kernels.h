// The kernels of CUDA devices as the host calls them, under the names and with the arguments of
// cpu/kernels.h and cpu/move.h. They work on the current machine (cuda/machine.h); all arrays are
// its memory; nothing waits, except what returns a position.
#pragma once

#include "cpu/kernels.h"
#include "cpu/move.h"

namespace gradloom::cuda {

// map_float.cu, map_double.cu, map_integer.cu
template <class T>
void map(int kernel, void* out, const Operands<T>& x, int64_t n, double p, double q);
template <class T>
void mapStrided(int kernel, void* out, const T* const* x, const Walk& walk, double p, double q);

// convert.cu
template <class T>
void cast(DType to, void* out, const T* a, int64_t n);
template <class T>
void castToBool(uint8_t* out, const T* a, int64_t n);
template <class T>
void fill(T* out, double value, int64_t n);
template <class T>
void select(T* out, const uint8_t* condition, int64_t conditionStep, const T* a, int64_t aStep,
            const T* b, int64_t bStep, int64_t n);
template <class T, class From>
void loadRows(T* out, const From* data, const int32_t* index, const T* center, const T* scale,
              int64_t step, int64_t n, int64_t count, int64_t width);

// move.cu
template <class T>
void copy(T* out, const T* a, CopyLoops loops);
int64_t firstOutside(const int32_t* index, int64_t count, int64_t n);
template <class T>
void gather(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
            int64_t inner);
template <class T>
void scatterAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                int64_t inner);
template <class T>
void takeAlong(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
               int64_t inner);
template <class T>
void putAlongAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                 int64_t inner);

// sort.cu
template <class T>
bool sort(T* values, int32_t* index, const T* a, int64_t rows, int64_t n, int64_t k,
          bool descending);

// reduce.cu
template <class T>
void reduce(Reduction reduction, void* out, const T* a, int64_t outer, int64_t n, int64_t inner);
template <class R, class T>
void cumsum(R* out, const T* a, int64_t outer, int64_t n, int64_t inner, bool reverse);

// matmul.cu
template <class T>
void matmul(T* out, const T* a, const T* b, int64_t batch, int64_t m, int64_t n, int64_t k,
            int64_t strideA, int64_t strideB, bool transA, bool transB, bool accumulate);
template <class T>
void dense(T* out, T* pre, const T* x, const T* w, const T* bias, int64_t rows, int64_t units,
           int64_t features, int activation, double p, double q);

// dense.cu
template <class T>
void denseBackward(T* dx, T* dw, T* db, T* scratch, const T* g, const T* x, const T* w, const T* y,
                   const T* pre, int64_t rows, int64_t units, int64_t features, int derivative,
                   double p, double q, bool accumulate);

// rows.cu
template <class T>
void softmax(T* out, const T* a, int64_t rows, int64_t columns, bool logarithm);
template <class T>
void softmaxBackward(T* out, const T* g, const T* y, int64_t rows, int64_t columns, bool logarithm);
template <class T>
void crossEntropy(T* loss, T* difference, const T* logits, const int32_t* labels,
                  const T* probabilities, int64_t rows, int64_t classes);
template <class T>
void scaleRows(T* out, const T* a, const T* scale, int64_t rows, int64_t columns, double factor);

// normalize.cu
template <class T>
void batchNorm(T* out, T* mean, T* inverse, T* variance, const T* x, const T* gamma, const T* beta,
               int64_t rows, int64_t channels, double epsilon);
template <class T>
void batchNormBackward(T* dx, T* dgamma, T* dbeta, const T* g, const T* x, const T* mean,
                       const T* inverse, const T* gamma, int64_t rows, int64_t channels);

// random.cu
void random(Distribution distribution, DType dtype, void* out, int64_t n, Philox stream, double p,
            double q);
template <class T>
void dropout(T* out, const T* x, int64_t n, Philox stream, double rate, double a, double b,
             double c);

// optimize.cu
template <class T>
void update(int update, int64_t count, T* const* parameters, const T* const* gradients,
            T* const* states, const int64_t* lengths, const double* hyper);

}  // namespace gradloom::cuda
