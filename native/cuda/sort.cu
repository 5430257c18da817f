// Sorting of rows: a bitonic network over pairs of an integer key, which rises in the wanted order,
// and its position. No two pairs are equal, so any order of equals is decided and the sort stable.
#include "cuda/kernels.h"
#include "cuda/launch.h"

namespace gradloom::cuda {
namespace {

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class Key>
struct Item {
  Key key, position;
};

template <class Key>
__device__ inline bool before(const Item<Key>& a, const Item<Key>& b) {
  return a.key != b.key ? a.key < b.key : a.position < b.position;
}

template <class T>
__device__ inline KeyOf<T> keyOf(T value, bool descending) {
  using Key = KeyOf<T>;
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return ~Key(0);
    value += T(0);  // -0 becomes 0, its equal
    union {
      T number;
      Key bits;
    } both = {value};
    constexpr Key signBit = Key(1) << (8 * sizeof(Key) - 1);
    const Key rising = both.bits & signBit ? ~both.bits : both.bits | signBit;
    return descending ? ~rising : rising;  // infinities stay below ~0 either way
  } else {
    const Key rising = std::is_signed_v<T> ? Key(value) ^ 0x80000000u : Key(value);
    return descending ? ~rising : rising;
  }
}

constexpr int tileItems = 512;  // sorted in shared memory, two by each thread

// items [rows, width] of a [rows, n]; those beyond n, and beyond the rows, come after all others.
template <class T>
__global__ void keysKernel(Item<KeyOf<T>>* items, const T* a, int64_t rows, int64_t n,
                           int64_t width, bool descending) {
  using Key = KeyOf<T>;
  const int64_t i = int64_t{blockIdx.x} * blockThreads + threadIdx.x;  // tiles are whole blocks
  const int64_t row = i / width, column = i % width;
  if (row < rows && column < n)
    items[i] = {keyOf(a[row * n + column], descending), Key(column)};
  else
    items[i] = {~Key(0), ~Key(0)};
}

// Puts two items in order: rising where bit `run` of their place is clear.
template <class Key>
__device__ inline void arrange(Item<Key>& low, Item<Key>& high, bool rising) {
  const Item<Key> a = low, b = high;
  if (before(b, a) == rising) low = b, high = a;
}

// The steps of runs of `firstRun` to `lastRun` items that stay within a tile. Pair number t of a
// step is `distance` apart.
template <class Key>
__global__ void __launch_bounds__(blockThreads)
    tileKernel(Item<Key>* items, int64_t width, int64_t firstRun, int64_t lastRun) {
  GRADLOOM_SHARED(Item<Key>, tile, tileItems);
  const int t = threadIdx.x;
  const int64_t start = int64_t{blockIdx.x} * tileItems;
  for (int half = 0; half < 2; half++) {
    tile[t + half * blockThreads] = items[start + t + half * blockThreads];
  }
  __syncthreads();
  for (int64_t run = firstRun; run <= lastRun; run *= 2) {
    for (int distance = run < tileItems ? int(run / 2) : tileItems / 2; distance > 0;
         distance /= 2) {
      const int low = t / distance * distance * 2 + t % distance;
      const bool rising = ((start + low) % width & run) == 0;
      arrange(tile[low], tile[low + distance], rising);
      __syncthreads();
    }
  }
  for (int half = 0; half < 2; half++) {
    items[start + t + half * blockThreads] = tile[t + half * blockThreads];
  }
}

// One step whose pairs are further apart than a tile.
template <class Key>
__global__ void stepKernel(Item<Key>* items, int64_t pairs, int64_t width, int64_t run,
                           int64_t distance) {
  const int64_t t = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (t >= pairs) return;
  const int64_t low = t / distance * distance * 2 + t % distance;
  arrange(items[low], items[low + distance], (low % width & run) == 0);
}

template <class T>
__global__ void resultsKernel(T* values, int32_t* index, const T* a, const Item<KeyOf<T>>* items,
                              int64_t rows, int64_t n, int64_t k, int64_t width) {
  const int64_t i = int64_t{blockIdx.x} * blockThreads + threadIdx.x;
  if (i >= rows * k) return;
  const int64_t row = i / k;
  const int64_t position = int64_t(items[row * width + i % k].position);
  index[i] = int32_t(position);
  values[i] = a[row * n + position];
}

}  // namespace

template <class T>
bool sort(T* values, int32_t* index, const T* a, int64_t rows, int64_t n, int64_t k,
          bool descending) {
  using Key = KeyOf<T>;
  int64_t width = 2;  // a power of two, so that tiles hold whole rows or rows whole tiles
  while (width < n) width *= 2;
  const int64_t count = ceilDiv(rows * width, tileItems) * tileItems;
  const Scratch<Item<Key>> scratch(count);
  Item<Key>* const items = scratch.data();
  launchOver("sort keys", count, blockThreads, keysKernel<T>, items, a, rows, n, width, descending);
  const dim3 tiles(unsigned(count / tileItems));
  launch("sort tiles", {rows, n}, tiles, dim3(blockThreads), tileKernel<Key>, items, width, 2,
         width < tileItems ? width : tileItems);
  for (int64_t run = int64_t{2} * tileItems; run <= width; run *= 2) {
    for (int64_t distance = run / 2; distance >= tileItems; distance /= 2) {
      launchOver("sort step", count / 2, blockThreads, stepKernel<Key>, items, count / 2, width,
                 run, distance);
    }
    launch("sort tiles", {rows, n, run}, tiles, dim3(blockThreads), tileKernel<Key>, items, width,
           run, run);
  }
  launchOver("sort results", rows * k, blockThreads, resultsKernel<T>, values, index, a, items,
             rows, n, k, width);
  return true;
}

template bool sort(float*, int32_t*, const float*, int64_t, int64_t, int64_t, bool);
template bool sort(double*, int32_t*, const double*, int64_t, int64_t, int64_t, bool);
template bool sort(int32_t*, int32_t*, const int32_t*, int64_t, int64_t, int64_t, bool);
template bool sort(uint8_t*, int32_t*, const uint8_t*, int64_t, int64_t, int64_t, bool);

}  // namespace gradloom::cuda
