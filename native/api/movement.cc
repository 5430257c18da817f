// Movement, sorting and reductions of the native surface: checks, then kernels.
#include <new>

#include "api/api.h"
#include "api/tables.h"

namespace gradloom::api {
namespace {

// Offset plus strides must stay within the array.
void checkReach(const Call& call, const Array& array, int64_t offset, int rank, const int64_t* size,
                const int64_t* stride) {
  double lowest = double(offset), highest = lowest;  // no sum of 8 such products overflows
  for (int d = 0; d < rank; d++) {
    const double last = double(size[d] - 1) * double(stride[d]);
    if (last < 0)
      lowest += last;
    else
      highest += last;
  }
  if (lowest < 0 || highest >= double(array.length)) {
    call.rangeError(array.position, "has " + std::to_string(array.length) +
                                        " elements, but the walk reaches from " +
                                        std::to_string(lowest) + " to " + std::to_string(highest));
  }
}

CopyLoops readWalk(const Call& call, const Array& walk) {
  call.checkType(walk, DType::int32);
  const int32_t* numbers = walk.as<int32_t>();
  const int32_t rank = walk.length > 0 ? numbers[0] : 0;
  if (rank < 1 || rank > maxRank) call.rangeError(walk.position, "has a rank outside 1 to 8");
  call.checkLength(walk, 1 + 3 * int64_t{rank});
  CopyLoops loops{};
  loops.rank = rank;
  for (int d = 0; d < rank; d++) {
    loops.size[d] = numbers[1 + d];
    loops.outStride[d] = numbers[1 + rank + d];
    loops.stride[d] = numbers[1 + 2 * rank + d];
    if (loops.size[d] < 0) call.rangeError(walk.position, "has a negative size");
    if (loops.outStride[d] == 0 && loops.size[d] > 1) {
      call.rangeError(walk.position, "has an output stride of 0: elements would be written twice");
    }
  }
  return loops;
}

// What gather and its kin share. `whole` is the array with n rows, `part` the one with count rows.
void checkIndexed(const Call& call, const Array& whole, const Array& part, const Array& index,
                  int64_t outer, int64_t n, int64_t count, int64_t inner, int64_t indices) {
  call.checkType(index, DType::int32);
  call.checkLength(index, indices);
  call.checkType(part, whole.dtype);
  call.checkLength(whole, call.product({outer, n, inner}));
  call.checkLength(part, call.product({outer, count, inner}));
}

}  // namespace

void copy(const Call& call, Array out, int64_t outOffset, Array a, int64_t aOffset,
          HostArray walk) {
  call.checkType(a, out.dtype);
  const CopyLoops loops = readWalk(call, walk);
  for (int d = 0; d < loops.rank; d++) {
    if (loops.size[d] == 0) return;
  }
  checkReach(call, out, outOffset, loops.rank, loops.size, loops.outStride);
  checkReach(call, a, aOffset, loops.rank, loops.size, loops.stride);
  withSize(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    moveKernels<T>(call).copy(out.as<T>() + outOffset, static_cast<const T*>(a.as<T>()) + aOffset,
                              loops);
  });
}

int64_t gather(const Call& call, Array out, Array a, Array index, int64_t outer, int64_t n,
               int64_t count, int64_t inner) {
  checkIndexed(call, a, out, index, outer, n, count, inner, count);
  const int64_t outside = call.device().firstOutside(index.as<int32_t>(), count, n);
  if (outside >= 0 || out.length == 0) return outside;
  withSize(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    moveKernels<T>(call).gather(out.as<T>(), a.as<T>(), index.as<int32_t>(), outer, n, count,
                                inner);
  });
  return -1;
}

int64_t scatterAdd(const Call& call, Array out, Array a, Array index, int64_t outer, int64_t n,
                   int64_t count, int64_t inner) {
  checkIndexed(call, out, a, index, outer, n, count, inner, count);
  const int64_t outside = call.device().firstOutside(index.as<int32_t>(), count, n);
  if (outside >= 0 || a.length == 0) return outside;
  withType(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    orderKernels<T>(call).scatterAdd(out.as<T>(), a.as<T>(), index.as<int32_t>(), outer, n, count,
                                     inner);
  });
  return -1;
}

int64_t takeAlong(const Call& call, Array out, Array a, Array index, int64_t outer, int64_t n,
                  int64_t count, int64_t inner) {
  const int64_t indices = call.product({outer, count, inner});
  checkIndexed(call, a, out, index, outer, n, count, inner, indices);
  const int64_t outside = call.device().firstOutside(index.as<int32_t>(), indices, n);
  if (outside >= 0 || out.length == 0) return outside;
  withSize(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    moveKernels<T>(call).takeAlong(out.as<T>(), a.as<T>(), index.as<int32_t>(), outer, n, count,
                                   inner);
  });
  return -1;
}

int64_t putAlongAdd(const Call& call, Array out, Array a, Array index, int64_t outer, int64_t n,
                    int64_t count, int64_t inner) {
  const int64_t indices = call.product({outer, count, inner});
  checkIndexed(call, out, a, index, outer, n, count, inner, indices);
  const int64_t outside = call.device().firstOutside(index.as<int32_t>(), indices, n);
  if (outside >= 0 || a.length == 0) return outside;
  withType(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    orderKernels<T>(call).putAlongAdd(out.as<T>(), a.as<T>(), index.as<int32_t>(), outer, n, count,
                                      inner);
  });
  return -1;
}

void sort(const Call& call, Array values, Array index, Array a, int64_t rows, int64_t n, int64_t k,
          bool descending) {
  call.checkType(values, a.dtype);
  call.checkType(index, DType::int32);
  if (k > n) call.rangeError(5, "is " + std::to_string(k) + ", more than n");
  if (n > INT32_MAX) call.rangeError(4, "is 2^31 or more: positions are int32");
  call.checkLength(a, call.product({rows, n}));
  call.checkLength(values, call.product({rows, k}));
  call.checkLength(index, values.length);
  if (values.length == 0) return;
  const bool enough = withType(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    return orderKernels<T>(call).sort(values.as<T>(), index.as<int32_t>(), a.as<T>(), rows, n, k,
                                      descending);
  });
  if (!enough) throw std::bad_alloc();
}

void reduce(const Call& call, int number, Array out, Array a, int64_t outer, int64_t n,
            int64_t inner) {
  call.checkNumber(0, number, reductionCount);
  call.checkLength(a, call.product({outer, n, inner}));
  call.checkLength(out, call.product({outer, inner}));
  const Reduction reduction = static_cast<Reduction>(number);
  bool mayBeEmpty = false;
  switch (reduction) {
    case Reduction::sum:
    case Reduction::prod:
    case Reduction::sumSquares:
    case Reduction::sumAbs:
      call.checkType(out, a.dtype == DType::uint8 ? DType::int32 : a.dtype);
      mayBeEmpty = true;
      break;
    case Reduction::any:
    case Reduction::all:
      call.checkType(out, DType::uint8);
      mayBeEmpty = true;
      break;
    case Reduction::max:
    case Reduction::min:
      call.checkType(out, a.dtype);
      break;
    case Reduction::argMax:
    case Reduction::argMin:
      call.checkType(out, DType::int32);
      if (n > INT32_MAX) call.rangeError(4, "is 2^31 or more: positions are int32");
      break;
  }
  if (out.length == 0) return;
  if (n == 0 && !mayBeEmpty) call.rangeError(4, "is 0: this reduction needs an element");
  withType(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    typeKernels<T>(call).reduce(reduction, out.data, a.as<T>(), outer, n, inner);
  });
}

void cumsum(const Call& call, Array out, Array a, int64_t outer, int64_t n, int64_t inner,
            bool reverse) {
  const bool widens = a.dtype == DType::uint8 && out.dtype == DType::int32;
  if (!widens) call.checkType(out, a.dtype);
  call.checkLength(a, call.product({outer, n, inner}));
  call.checkLength(out, a.length);
  if (out.length == 0) return;
  if (widens) {
    return call.device().cumsumWidened(out.as<int32_t>(), a.as<uint8_t>(), outer, n, inner,
                                       reverse);
  }
  withType(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    orderKernels<T>(call).cumsum(out.as<T>(), a.as<T>(), outer, n, inner, reverse);
  });
}

}  // namespace gradloom::api
