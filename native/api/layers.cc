// Matrix products and the fused pieces of networks in the native surface: checks, then kernels.
#include <cstring>

#include "api/api.h"
#include "api/tables.h"

namespace gradloom::api {
namespace {

// A matrix that all others must match in type.
void checkMatrix(const Call& call, const Array& array, DType type, int64_t rows, int64_t columns) {
  call.checkType(array, type);
  call.checkLength(array, call.product({rows, columns}));
}

void checkVector(const Call& call, const Array& array, DType type, int64_t length) {
  call.checkType(array, type);
  call.checkLength(array, length);
}

// Matrices of `size` elements each, `stride` apart, must fit.
void checkBatch(const Call& call, const Array& array, int64_t batch, int64_t stride, int64_t size) {
  const int64_t reach = call.product({batch - 1, stride});
  if (reach + size > array.length) {
    call.rangeError(array.position, "has " + std::to_string(array.length) +
                                        " elements, expected at least " +
                                        std::to_string(reach + size));
  }
}

bool endsWith(const char* name, const char* end) {
  const size_t length = std::strlen(name), tail = std::strlen(end);
  return length >= tail && std::strcmp(name + length - tail, end) == 0;
}

// -1, or the number of a value (`_y`) or derivative (`_da`) of a function of one argument.
void checkActivation(const Call& call, int position, int kernel, const char* ending) {
  if (kernel == -1) return;
  call.checkNumber(position, kernel, kernelCount);
  const KernelInfo& info = kernelInfo[kernel];
  const bool ofOne = std::strchr(info.operands, 'b') == nullptr;
  if (info.kind == Kind::compare || !ofOne || !endsWith(info.name, ending)) {
    call.rangeError(position, std::string("is the kernel ") + info.name +
                                  ", which is not of an activation function's kind");
  }
}

template <class T>
T* dataOrNull(const MaybeArray& array) {
  return array && array.length > 0 ? array.as<T>() : nullptr;
}

}  // namespace

void matmul(const Call& call, Array out, Array a, Array b, int64_t batch, int64_t m, int64_t n,
            int64_t k, int64_t strideA, int64_t strideB, bool transA, bool transB,
            bool accumulate) {
  call.checkReal(out);
  call.checkType(a, out.dtype);
  call.checkType(b, out.dtype);
  call.checkLength(out, call.product({batch, m, n}));
  if (out.length == 0) return;
  checkBatch(call, a, batch, strideA, call.product({m, k}));
  checkBatch(call, b, batch, strideB, call.product({k, n}));
  withReal(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).matmul(out.as<T>(), a.as<T>(), b.as<T>(), batch, m, n, k, strideA, strideB,
                                transA, transB, accumulate);
  });
}

void dense(const Call& call, Array out, MaybeArray pre, Array x, Array w, MaybeArray bias,
           int64_t rows, int64_t units, int64_t features, int activation, double p, double q) {
  call.checkReal(out);
  checkActivation(call, 8, activation, "_y");
  checkMatrix(call, out, out.dtype, rows, units);
  checkMatrix(call, x, out.dtype, rows, features);
  checkMatrix(call, w, out.dtype, features, units);
  call.checkMaybe(pre, out.dtype, out.length);
  call.checkMaybe(bias, out.dtype, units);
  if (out.length == 0) return;
  withReal(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).dense(out.as<T>(), dataOrNull<T>(pre), x.as<T>(), w.as<T>(),
                               dataOrNull<T>(bias), rows, units, features, activation, p, q);
  });
}

void denseBackward(const Call& call, MaybeArray dx, MaybeArray dw, MaybeArray db, Array scratch,
                   Array g, Array x, Array w, Array y, MaybeArray pre, int64_t rows, int64_t units,
                   int64_t features, int derivative, double p, double q, bool accumulate) {
  call.checkReal(g);
  const DType type = g.dtype;
  checkActivation(call, 12, derivative, "_da");
  checkMatrix(call, g, type, rows, units);
  checkMatrix(call, x, type, rows, features);
  checkMatrix(call, w, type, features, units);
  call.checkMaybe(dx, type, x.length);
  call.checkMaybe(dw, type, w.length);
  call.checkMaybe(db, type, units);
  call.checkMaybe(pre, type, g.length);
  if (derivative >= 0) {
    checkVector(call, scratch, type, g.length);
    checkVector(call, y, type, g.length);
    const bool readsInput = std::strchr(kernelInfo[derivative].operands, 'a') != nullptr;
    if (readsInput && !pre) call.typeError(pre.position, "is null, but the derivative reads it");
  }
  withReal(type, [&](auto zero) {
    using T = decltype(zero);
    T* const toX = dataOrNull<T>(dx);
    T* const toW = dataOrNull<T>(dw);
    T* const toBias = dataOrNull<T>(db);
    if (!toX && !toW && !toBias) return;
    realKernels<T>(call).denseBackward(toX, toW, toBias, scratch.as<T>(), g.as<T>(), x.as<T>(),
                                       w.as<T>(), y.as<T>(), dataOrNull<T>(pre), rows, units,
                                       features, derivative, p, q, accumulate);
  });
}

void softmax(const Call& call, Array out, Array a, int64_t rows, int64_t columns, bool logarithm) {
  call.checkReal(out);
  checkMatrix(call, out, out.dtype, rows, columns);
  checkMatrix(call, a, out.dtype, rows, columns);
  if (out.length == 0) return;
  withReal(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).softmax(out.as<T>(), a.as<T>(), rows, columns, logarithm);
  });
}

void softmaxBackward(const Call& call, Array out, Array g, Array y, int64_t rows, int64_t columns,
                     bool logarithm) {
  call.checkReal(out);
  checkMatrix(call, out, out.dtype, rows, columns);
  checkMatrix(call, g, out.dtype, rows, columns);
  checkMatrix(call, y, out.dtype, rows, columns);
  if (out.length == 0) return;
  withReal(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).softmaxBackward(out.as<T>(), g.as<T>(), y.as<T>(), rows, columns,
                                         logarithm);
  });
}

int64_t crossEntropy(const Call& call, Array loss, MaybeArray difference, Array logits,
                     Array target, int64_t rows, int64_t classes) {
  call.checkReal(logits);
  checkMatrix(call, logits, logits.dtype, rows, classes);
  checkVector(call, loss, logits.dtype, rows);
  call.checkMaybe(difference, logits.dtype, logits.length);
  const bool labels = target.dtype == DType::int32;
  if (labels) {
    call.checkLength(target, rows);
    const int64_t outside = call.device().firstOutside(target.as<int32_t>(), rows, classes);
    if (outside >= 0) return outside;
  } else {
    checkMatrix(call, target, logits.dtype, rows, classes);
    if (classes == 0 && rows > 0) call.rangeError(5, "is 0: a row needs a class");
  }
  if (rows == 0) return -1;
  withReal(logits.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).crossEntropy(loss.as<T>(), dataOrNull<T>(difference), logits.as<T>(),
                                      labels ? target.as<int32_t>() : nullptr,
                                      labels ? nullptr : target.as<T>(), rows, classes);
  });
  return -1;
}

void scaleRows(const Call& call, Array out, Array a, Array scale, int64_t rows, int64_t columns,
               double factor) {
  call.checkReal(out);
  checkMatrix(call, out, out.dtype, rows, columns);
  checkMatrix(call, a, out.dtype, rows, columns);
  checkVector(call, scale, out.dtype, rows);
  if (out.length == 0) return;
  withReal(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).scaleRows(out.as<T>(), a.as<T>(), scale.as<T>(), rows, columns, factor);
  });
}

void batchNorm(const Call& call, Array out, Array mean, Array inverse, Array variance, Array x,
               MaybeArray gamma, MaybeArray beta, int64_t rows, int64_t channels, double epsilon) {
  call.checkReal(x);
  checkMatrix(call, x, x.dtype, rows, channels);
  checkMatrix(call, out, x.dtype, rows, channels);
  for (const Array* each : {&mean, &inverse, &variance})
    checkVector(call, *each, x.dtype, channels);
  call.checkMaybe(gamma, x.dtype, channels);
  call.checkMaybe(beta, x.dtype, channels);
  if (channels == 0) return;
  withReal(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).batchNorm(out.as<T>(), mean.as<T>(), inverse.as<T>(), variance.as<T>(),
                                   x.as<T>(), dataOrNull<T>(gamma), dataOrNull<T>(beta), rows,
                                   channels, epsilon);
  });
}

void batchNormBackward(const Call& call, MaybeArray dx, MaybeArray dgamma, MaybeArray dbeta,
                       Array g, Array x, Array mean, Array inverse, MaybeArray gamma, int64_t rows,
                       int64_t channels) {
  call.checkReal(x);
  checkMatrix(call, x, x.dtype, rows, channels);
  checkMatrix(call, g, x.dtype, rows, channels);
  checkVector(call, mean, x.dtype, channels);
  checkVector(call, inverse, x.dtype, channels);
  call.checkMaybe(dx, x.dtype, x.length);
  for (const MaybeArray* each : {&dgamma, &dbeta, &gamma}) {
    call.checkMaybe(*each, x.dtype, channels);
  }
  if (channels == 0) return;
  withReal(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    realKernels<T>(call).batchNormBackward(dataOrNull<T>(dx), dataOrNull<T>(dgamma),
                                           dataOrNull<T>(dbeta), g.as<T>(), x.as<T>(), mean.as<T>(),
                                           inverse.as<T>(), dataOrNull<T>(gamma), rows, channels);
  });
}

}  // namespace gradloom::api
