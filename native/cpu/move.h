// Moving elements: strided copies, reading and adding by index, running sums, sorting. Nothing here
// gains from wide vectors, so it is compiled once. T of pure moves is the unsigned type of the
// elements' size.
#pragma once

#include <cstdint>

namespace gradloom {

// Most loops of a copy.
constexpr int maxRank = 8;

// Loops of a strided copy, outermost first: sizes, and the two arrays' strides in elements.
struct CopyLoops {
  int rank;
  int64_t size[maxRank], outStride[maxRank], stride[maxRank];
};

// out[Σ i·outStride] = a[Σ i·stride]; out and a point at the element of all i = 0.
template <class T>
void copy(T* out, const T* a, CopyLoops loops);

// Position of the first of `count` indices outside [0, n), or -1.
int64_t firstOutside(const int32_t* index, int64_t count, int64_t n);

// The four below take indices that firstOutside has passed. They look again at each, so that memory
// shared with another JavaScript thread can do no harm: what is outside by then is passed over.

// out [outer, count, inner] = a [outer, n, inner] at index [count].
template <class T>
void gather(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
            int64_t inner);
// out [outer, n, inner] += a [outer, count, inner] at index [count], in the order of the index.
template <class T>
void scatterAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                int64_t inner);
// out[o, j, i] = a[o, index[o, j, i], i]; out and index are [outer, count, inner].
template <class T>
void takeAlong(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
               int64_t inner);
// out[o, index[o, j, i], i] += a[o, j, i]; a and index are [outer, count, inner].
template <class T>
void putAlongAdd(T* out, const T* a, const int32_t* index, int64_t outer, int64_t n, int64_t count,
                 int64_t inner);

// Running sum along the middle of a [outer, n, inner], backwards when `reverse`. Floating point
// sums are taken in double; integers wrap. R is T, or int32 where T is uint8.
template <class R, class T>
void cumsum(R* out, const T* a, int64_t outer, int64_t n, int64_t inner, bool reverse);

// Stable sort of the rows of a [rows, n], NaN last; the first k values and their positions go to
// values and index [rows, k]. n < 2^31. False when there is no memory for it.
template <class T>
bool sort(T* values, int32_t* index, const T* a, int64_t rows, int64_t n, int64_t k,
          bool descending);

}  // namespace gradloom
