// Elementwise kernels over whole arrays: flat, and broadcast through up to three nested loops.
#pragma once

#include "cpu/convert.h"
#include "cpu/elementwise.h"
#include "cpu/scratch.h"
#include "cpu/threads.h"

namespace gradloom::GRADLOOM_ISA {
namespace {

// Elements of a chunk of memory-bound work: enough to be worth a helper's attention.
constexpr int64_t mapGrain = 1 << 15;

// Bytes of one element of a kernel's output.
template <class T>
int64_t outputSize(int kernel) {
  return kernelInfo[kernel].kind == Kind::compare ? 1 : int64_t(sizeof(T));
}

inline void* advanced(void* at, int64_t bytes) {
  return static_cast<char*>(at) + bytes;
}

// out[i] = kernel(x[i], p, q) for n elements.
template <class T>
void map(int kernel, void* out, const Operands<T>& x, int64_t n, double p, double q) {
  const int64_t size = outputSize<T>(kernel);
  const T P = saturate<T>(p), Q = saturate<T>(q);
  const bool streams = worthStreaming(n * size);
  parallelFor(n, mapGrain, [&](int64_t from, int64_t to) {
    const Target target{advanced(out, from * size), streams};
    mapRows<T>[kernel](target, advanced(x, from), to - from, P, Q);
  });
}

namespace detail {

// Elements expanded at a time where an operand is not contiguous in the innermost loop.
constexpr int64_t expandBlock = 512;
// Innermost loops shorter than this are not worth a call each: whole blocks are expanded instead.
constexpr int64_t shortRow = 64;

// Copies `n` elements of an operand from position `start` of the walk on, in walking order.
template <class T>
void expand(T* to, const T* x, const Walk& walk, const int64_t* stride, int64_t start, int64_t n) {
  int64_t i2 = start % walk.count[2];
  int64_t i1 = start / walk.count[2] % walk.count[1];
  int64_t i0 = start / walk.count[2] / walk.count[1];
  while (n > 0) {
    const T* from = x + i0 * stride[0] + i1 * stride[1] + i2 * stride[2];
    const int64_t run = walk.count[2] - i2 < n ? walk.count[2] - i2 : n;
    for (int64_t j = 0; j < run; j++) to[j] = from[j * stride[2]];
    to += run, n -= run, i2 = 0;
    if (++i1 == walk.count[1]) i1 = 0, i0++;
  }
}

template <class T>
struct StridedMap {
  int kernel;
  void* out;
  const T* const* x;
  int operands;
  const Walk& walk;
  T p, q;

  // Whether an operand can be read in place within one innermost loop.
  bool direct(int k) const { return walk.stride[k][2] == 0 || walk.stride[k][2] == 1; }
  bool constant(int k) const {
    const int64_t* stride = walk.stride[k];
    return stride[0] == 0 && stride[1] == 0 && stride[2] == 0;
  }
  bool contiguous(int k) const {
    const int64_t* stride = walk.stride[k];
    return stride[2] == 1 && stride[1] == walk.count[2] && stride[0] == stride[1] * walk.count[1];
  }

  void run(int64_t from, int64_t to) const {
    const int64_t row = walk.count[2];
    bool allDirect = row >= shortRow;
    for (int k = 0; k < operands; k++) allDirect = allDirect && direct(k);
    while (from < to) {
      int64_t n = to - from;
      if (row >= shortRow && n > row - from % row) n = row - from % row;
      if (!allDirect && n > expandBlock) n = expandBlock;
      piece(from, n);
      from += n;
    }
  }

  void piece(int64_t start, int64_t n) const {
    const int64_t row = walk.count[2];
    const int64_t i1 = start / row % walk.count[1], i0 = start / row / walk.count[1];
    T expanded[maxOperands][expandBlock];
    Operands<T> at{};
    for (int k = 0; k < operands; k++) {
      const int64_t* stride = walk.stride[k];
      if (constant(k) || contiguous(k) || (row >= shortRow && direct(k))) {
        at.at[k] = x[k] + i0 * stride[0] + i1 * stride[1] + start % row * stride[2];
        at.step[k] = stride[2];
      } else {
        expand(expanded[k], x[k], walk, stride, start, n);
        at.at[k] = expanded[k];
        at.step[k] = 1;
      }
    }
    mapRows<T>[kernel]({advanced(out, start * outputSize<T>(kernel))}, at, n, p, q);
  }
};

}  // namespace detail

template <class T>
void mapStrided(int kernel, void* out, const T* const* x, const Walk& walk, double p, double q) {
  const detail::StridedMap<T> strided{
      kernel, out, x, kernelInfo[kernel].count, walk, saturate<T>(p), saturate<T>(q)};
  const int64_t total = walk.count[0] * walk.count[1] * walk.count[2];
  parallelFor(total, mapGrain, [&](int64_t from, int64_t to) { strided.run(from, to); });
}

}  // namespace
}  // namespace gradloom::GRADLOOM_ISA
