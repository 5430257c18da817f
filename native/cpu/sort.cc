// Sorting of rows. Every element becomes a pair of an integer key, which rises in the wanted order,
// and its position; no two pairs are equal, so that any sort of pairs is a stable sort of elements.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>

#include "cpu/move.h"
#include "cpu/scratch.h"
#include "cpu/threads.h"

namespace gradloom {
namespace {

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class Key>
struct Item {
  Key key;
  uint32_t position;
  bool operator<(const Item& other) const {
    return key != other.key ? key < other.key : position < other.position;
  }
};

template <class T>
KeyOf<T> keyOf(T value, bool descending) {
  using Key = KeyOf<T>;
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return ~Key(0);
    value += T(0);  // -0 becomes 0, its equal
    Key bits;
    std::memcpy(&bits, &value, sizeof(bits));
    constexpr Key signBit = Key(1) << (8 * sizeof(Key) - 1);
    const Key rising = bits & signBit ? ~bits : bits | signBit;
    return descending ? ~rising : rising;  // infinities stay below ~0 either way
  } else {
    const Key rising = std::is_signed_v<T> ? Key(value) ^ 0x80000000u : Key(value);
    return descending ? ~rising : rising;
  }
}

template <class T>
void sortRow(T* values, int32_t* index, const T* a, int64_t n, int64_t k, bool descending,
             Item<KeyOf<T>>* items) {
  for (int64_t i = 0; i < n; i++) items[i] = {keyOf(a[i], descending), uint32_t(i)};
  if (k < n) std::nth_element(items, items + k, items + n);
  std::sort(items, items + k);
  for (int64_t i = 0; i < k; i++) {
    index[i] = int32_t(items[i].position);
    values[i] = a[items[i].position];
  }
}

}  // namespace

template <class T>
bool sort(T* values, int32_t* index, const T* a, int64_t rows, int64_t n, int64_t k,
          bool descending) {
  using Pair = Item<KeyOf<T>>;
  const int64_t grain = n < 4096 ? 4096 / (n + 1) + 1 : 1;
  std::atomic<bool> enough{true};
  parallelFor(rows, grain, [&](int64_t from, int64_t to) {
    Pair* items = static_cast<Pair*>(scratch(size_t(n) * sizeof(Pair)));
    if (items == nullptr) {
      enough = false;
      return;
    }
    for (; from < to; from++) {
      sortRow(values + from * k, index + from * k, a + from * n, n, k, descending, items);
    }
  });
  return enough;
}

template bool sort(float*, int32_t*, const float*, int64_t, int64_t, int64_t, bool);
template bool sort(double*, int32_t*, const double*, int64_t, int64_t, int64_t, bool);
template bool sort(int32_t*, int32_t*, const int32_t*, int64_t, int64_t, int64_t, bool);
template bool sort(uint8_t*, int32_t*, const uint8_t*, int64_t, int64_t, int64_t, bool);

}  // namespace gradloom
