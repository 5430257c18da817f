// Strided copies: loops joined where both arrays allow it, then the two innermost as runs or tiles.
#include <cstring>
#include <utility>

#include "cpu/move.h"
#include "cpu/scratch.h"
#include "cpu/threads.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gradloom {
namespace {

constexpr int64_t copyGrain = 1 << 15;
constexpr int64_t tileEdge = 32;  // a square of this edge of either array stays in the first cache

int64_t magnitude(int64_t stride) {
  return stride < 0 ? -stride : stride;
}

// Drops loops of one step and joins those that step through both arrays as one; leaves at least
// two.
void simplify(CopyLoops& loops) {
  int rank = 0;
  CopyLoops simple{};
  for (int d = 0; d < loops.rank; d++) {
    const int64_t size = loops.size[d], outStride = loops.outStride[d], stride = loops.stride[d];
    if (size == 1) continue;
    const int last = rank - 1;
    if (last >= 0 && simple.outStride[last] == outStride * size &&
        simple.stride[last] == stride * size) {
      simple.size[last] *= size;
    } else {
      rank++;
      simple.size[last + 1] = size;
    }
    simple.outStride[rank - 1] = outStride;
    simple.stride[rank - 1] = stride;
  }
  while (rank < 2) {
    for (int d = rank; d > 0; d--) {
      simple.size[d] = simple.size[d - 1];
      simple.outStride[d] = simple.outStride[d - 1];
      simple.stride[d] = simple.stride[d - 1];
    }
    simple.size[0] = 1, simple.outStride[0] = 0, simple.stride[0] = 0;
    rank++;
  }
  simple.rank = rank;
  loops = simple;
}

// In a transpose `a` runs along another loop than `out`: brings that one next to the innermost.
void bringTogether(CopyLoops& loops) {
  const int inner = loops.rank - 1;
  if (magnitude(loops.stride[inner]) <= 1) return;
  int runs = inner - 1;
  for (int d = 0; d < inner; d++) {
    const int64_t here = magnitude(loops.stride[d]), best = magnitude(loops.stride[runs]);
    if (here != 0 && (best == 0 || here < best)) runs = d;
  }
  std::swap(loops.size[runs], loops.size[inner - 1]);
  std::swap(loops.outStride[runs], loops.outStride[inner - 1]);
  std::swap(loops.stride[runs], loops.stride[inner - 1]);
}

template <class T>
void copyRun(T* out, int64_t outStride, const T* a, int64_t stride, int64_t n) {
  if (outStride == 1 && stride == 1) {
    std::memmove(out, a, size_t(n) * sizeof(T));
  } else if (outStride == 1 && stride == 0) {
    const T value = *a;
    for (int64_t i = 0; i < n; i++) out[i] = value;
  } else if (outStride == 1) {
    for (int64_t i = 0; i < n; i++) out[i] = a[i * stride];
  } else {
    for (int64_t i = 0; i < n; i++) out[i * outStride] = a[i * stride];
  }
}

// The two innermost loops, rows [from, to) of the outer one.
template <class T>
void copyPlane(T* out, const T* a, const CopyLoops& loops, int64_t from, int64_t to) {
  const int inner = loops.rank - 1;
  const int64_t columns = loops.size[inner];
  const int64_t outRow = loops.outStride[inner - 1], outColumn = loops.outStride[inner];
  const int64_t row = loops.stride[inner - 1], column = loops.stride[inner];
  const bool crossing = magnitude(column) > magnitude(row) && row != 0;
  const int64_t edge = crossing ? tileEdge : columns;
  for (int64_t c = 0; c < columns; c += edge) {
    const int64_t width = columns - c < edge ? columns - c : edge;
    for (int64_t r = from; r < to; r++) {
      copyRun(out + r * outRow + c * outColumn, outColumn, a + r * row + c * column, column, width);
    }
  }
}

// Rows [from, to), numbered through all loops but the innermost.
template <class T>
void copyRows(T* out, const T* a, const CopyLoops& loops, int64_t from, int64_t to) {
  const int middle = loops.rank - 2;
  while (from < to) {
    int64_t rest = from / loops.size[middle], outAt = 0, at = 0;
    for (int d = middle - 1; d >= 0; d--) {
      const int64_t i = rest % loops.size[d];
      rest /= loops.size[d];
      outAt += i * loops.outStride[d];
      at += i * loops.stride[d];
    }
    const int64_t first = from % loops.size[middle];
    const int64_t end =
        loops.size[middle] - first < to - from ? loops.size[middle] : first + to - from;
    copyPlane(out + outAt, a + at, loops, first, end);
    from += end - first;
  }
}

// Copies n bytes by streaming stores.
void streamRun(char* out, const char* a, int64_t n) {
#if !defined(__SSE2__)
  std::memcpy(out, a, size_t(n));
#else
  constexpr int64_t line = 64;
  const int64_t before = int64_t(-reinterpret_cast<uintptr_t>(out) % line);
  const int64_t head = before < n ? before : n;
  std::memcpy(out, a, size_t(head));
  int64_t i = head;
  for (; i + line <= n; i += line) {
    _mm_prefetch(a + i + streamAhead, _MM_HINT_T0);
    for (int64_t j = i; j < i + line; j += 16) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(out + j),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + j)));
    }
  }
  std::memcpy(out + i, a + i, size_t(n - i));
  _mm_sfence();  // other threads read it when this chunk is done
#endif
}

// One long run, cut across.
template <class T>
void copyLongRuns(T* out, const T* a, const CopyLoops& loops) {
  const bool contiguous = loops.outStride[1] == 1 && loops.stride[1] == 1;
  const int64_t bytes = loops.size[0] * loops.size[1] * int64_t(sizeof(T));
  const bool streams = contiguous && worthStreaming(bytes);
  for (int64_t r = 0; r < loops.size[0]; r++) {
    parallelFor(loops.size[1], copyGrain, [&](int64_t from, int64_t to) {
      const int64_t outAt = r * loops.outStride[0] + from * loops.outStride[1];
      const int64_t at = r * loops.stride[0] + from * loops.stride[1];
      if (streams) {
        streamRun(reinterpret_cast<char*>(out + outAt), reinterpret_cast<const char*>(a + at),
                  (to - from) * int64_t(sizeof(T)));
      } else {
        copyRun(out + outAt, loops.outStride[1], a + at, loops.stride[1], to - from);
      }
    });
  }
}

}  // namespace

template <class T>
void copy(T* out, const T* a, CopyLoops loops) {
  for (int d = 0; d < loops.rank; d++) {
    if (loops.size[d] == 0) return;
  }
  simplify(loops);
  if (loops.rank == 2 && loops.size[0] < 16 && loops.size[1] > copyGrain) {
    return copyLongRuns(out, a, loops);
  }
  bringTogether(loops);
  int64_t rows = 1;
  for (int d = 0; d < loops.rank - 1; d++) rows *= loops.size[d];
  const int64_t columns = loops.size[loops.rank - 1];
  const int64_t grain =
      columns < copyGrain ? (copyGrain / columns + tileEdge - 1) / tileEdge * tileEdge : 1;
  parallelFor(rows, grain, [&](int64_t from, int64_t to) { copyRows(out, a, loops, from, to); });
}

template void copy(uint8_t*, const uint8_t*, CopyLoops);
template void copy(uint32_t*, const uint32_t*, CopyLoops);
template void copy(uint64_t*, const uint64_t*, CopyLoops);

}  // namespace gradloom
