// Copies, indexing, running sums and sorting against plain loops.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "cpu/move.h"
#include "cpu/scratch.h"
#include "test/test.h"

namespace gradloom::test {

void testMovement();

namespace {

// Random loops over random memory; every element written once.
template <class T>
void copies(Source& source) {
  CopyLoops loops{};
  loops.rank = 1 + int(source.next() % maxRank);
  const bool large = source.next() % 8 == 0;
  int64_t total = 1;
  int order[maxRank];
  std::iota(order, order + loops.rank, 0);
  for (int d = 0; d < loops.rank; d++) {
    loops.size[d] = 1 + int64_t(source.next() % (loops.rank > 4 ? 3 : large ? 60 : 9));
    std::swap(order[d], order[source.next() % uint64_t(d + 1)]);
  }
  for (int d = loops.rank - 1; d >= 0; d--) {
    loops.outStride[d] = total;
    total *= loops.size[d];
  }
  int64_t reach = 1, offset = 0;
  for (int k = 0; k < loops.rank; k++) {
    const int d = order[k];
    const uint64_t kind = source.next() % 8;
    loops.stride[d] = kind == 0 ? 0 : kind == 1 ? -reach : reach;
    if (kind == 1) offset += reach * (loops.size[d] - 1);
    reach *= loops.size[d];
  }
  std::vector<T> a(static_cast<size_t>(reach)), out(static_cast<size_t>(total), T(99));
  for (T& x : a) x = T(source.next());
  copy<T>(out.data(), a.data() + offset, loops);
  int64_t wrong = 0;
  for (int64_t i = 0; i < total; i++) {
    int64_t rest = i, at = offset;
    for (int d = loops.rank - 1; d >= 0; d--) {
      at += rest % loops.size[d] * loops.stride[d];
      rest /= loops.size[d];
    }
    wrong += out[size_t(i)] != a[size_t(at)];
  }
  CHECK(wrong == 0, "%lld of %lld elements, rank %d", (long long)wrong, (long long)total,
        loops.rank);
}

// A copy that is streamed, where the caches are small enough for a test, between odd addresses.
void streamedCopy() {
  const int64_t n = caches().l3 / 2 + 5;
  if (!worthStreaming(n) || n > (1 << 27)) {
    return note("streaming copies NOT TESTED: third-level caches of %lld bytes",
                (long long)caches().l3);
  }
  std::vector<uint8_t> a(size_t(n) + 3), out(size_t(n) + 3);
  for (size_t i = 0; i < a.size(); i++) a[i] = uint8_t(i % 251);
  CopyLoops loops{};
  loops.rank = 1, loops.size[0] = n, loops.outStride[0] = loops.stride[0] = 1;
  copy(out.data() + 1, a.data() + 2, loops);
  int64_t wrong = out.front() != 0 || out.back() != 0;
  for (size_t i = 0; i < size_t(n); i++) wrong += out[i + 1] != a[i + 2];
  CHECK(wrong == 0, "streamed copy of %lld bytes", (long long)n);
}

template <class T>
void sorting(Source& source, int64_t rows, int64_t n, int64_t k, bool descending) {
  std::vector<T> a(size_t(rows * n)), values(size_t(rows * k));
  std::vector<int32_t> index(size_t(rows * k));
  for (T& x : a) x = T(source.next() % 20) - (std::is_signed_v<T> ? T(10) : T(0));
  if constexpr (std::is_floating_point_v<T>) {
    for (size_t i = 0; i < a.size(); i += 7) a[i] = i % 3 ? T(NAN) : T(-0.0);
    if (!a.empty()) a[a.size() / 2] = T(-INFINITY);
  }
  CHECK(sort<T>(values.data(), index.data(), a.data(), rows, n, k, descending), "memory");
  for (int64_t r = 0; r < rows; r++) {
    const T* row = a.data() + r * n;
    std::vector<int32_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t i, int32_t j) {
      const T x = row[i], y = row[j];
      if (x != x || y != y) return x == x;
      return descending ? x > y : x < y;
    });
    int64_t wrong = 0;
    for (int64_t i = 0; i < k; i++) {
      const int32_t got = index[size_t(r * k + i)];
      const T value = values[size_t(r * k + i)];
      wrong += got != order[size_t(i)] || (value != row[got] && row[got] == row[got]);
    }
    CHECK(wrong == 0, "%lld of %lld in row %lld", (long long)wrong, (long long)k, (long long)r);
  }
}

void indexing() {
  const int64_t outer = 3, n = 50, count = 400, inner = 300;
  Source source{3};
  std::vector<int32_t> index(count), along(size_t(outer * count * inner));
  for (int32_t& i : index) i = int32_t(source.next() % n);
  for (int32_t& i : along) i = int32_t(source.next() % n);
  std::vector<int32_t> whole(size_t(outer * n * inner)), part(size_t(outer * count * inner));
  for (int32_t& x : whole) x = int32_t(source.next());
  for (int32_t& x : part) x = int32_t(source.next());
  const auto bits = [](auto& list) { return reinterpret_cast<uint32_t*>(list.data()); };
  std::vector<int32_t> taken(part.size()), takenAlong(part.size()), added = whole,
                                                                    addedAlong = whole;
  std::vector<int32_t> addedWanted = whole, alongWanted = whole;
  gather<uint32_t>(bits(taken), bits(whole), index.data(), outer, n, count, inner);
  takeAlong<uint32_t>(bits(takenAlong), bits(whole), along.data(), outer, n, count, inner);
  scatterAdd<int32_t>(added.data(), part.data(), index.data(), outer, n, count, inner);
  putAlongAdd<int32_t>(addedAlong.data(), part.data(), along.data(), outer, n, count, inner);
  int64_t wrong = 0;
  for (int64_t at = 0; at < outer * count * inner; at++) {
    const int64_t o = at / inner / count, j = at / inner % count, i = at % inner;
    const size_t row = size_t((o * n + index[size_t(j)]) * inner + i);
    const size_t rowAlong = size_t((o * n + along[size_t(at)]) * inner + i);
    wrong += taken[size_t(at)] != whole[row] || takenAlong[size_t(at)] != whole[rowAlong];
    addedWanted[row] = int32_t(uint32_t(addedWanted[row]) + uint32_t(part[size_t(at)]));
    alongWanted[rowAlong] = int32_t(uint32_t(alongWanted[rowAlong]) + uint32_t(part[size_t(at)]));
  }
  CHECK(wrong == 0, "%lld elements read wrongly", (long long)wrong);
  CHECK(added == addedWanted, "scatterAdd");
  CHECK(addedAlong == alongWanted, "putAlongAdd");
  CHECK(firstOutside(index.data(), count, n) == -1, "all inside");
  index[77] = -1, index[99] = int32_t(n);
  CHECK(firstOutside(index.data(), count, n) == 77, "first outside");
  gather<uint32_t>(bits(taken), bits(whole), index.data(), outer, n, count, inner);
  scatterAdd<int32_t>(added.data(), part.data(), index.data(), outer, n, count, inner);
}

void runningSums() {
  const std::vector<float> a = {1, 2, 3, 4, 5, 6};
  std::vector<float> out(6);
  cumsum(out.data(), a.data(), 1, 3, 2, false);
  CHECK((out == std::vector<float>{1, 2, 4, 6, 9, 12}), "cumsum of columns");
  cumsum(out.data(), a.data(), 2, 3, 1, true);
  CHECK((out == std::vector<float>{6, 5, 3, 15, 11, 6}), "reversed cumsum of rows");
  const std::vector<uint8_t> bytes(600, 255);
  std::vector<int32_t> wide(600);
  cumsum(wide.data(), bytes.data(), 1, 600, 1, false);
  CHECK(wide[599] == 600 * 255, "cumsum of bytes");
}

}  // namespace

void testMovement() {
  group("movement");
  Source source{1};
  for (int round = 0; round < 200; round++) {
    copies<uint8_t>(source);
    copies<uint32_t>(source);
    copies<uint64_t>(source);
  }
  streamedCopy();
  for (const bool descending : {false, true}) {
    const int64_t sizes[][3] = {{0, 5, 5}, {3, 1, 1}, {4, 100, 100}, {2, 5000, 17}, {30, 40, 0}};
    for (const auto& size : sizes) {
      sorting<float>(source, size[0], size[1], size[2], descending);
      sorting<double>(source, size[0], size[1], size[2], descending);
      sorting<int32_t>(source, size[0], size[1], size[2], descending);
      sorting<uint8_t>(source, size[0], size[1], size[2], descending);
    }
  }
  indexing();
  runningSums();
}

}  // namespace gradloom::test
