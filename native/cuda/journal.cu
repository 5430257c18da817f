#include "cuda/journal.h"

#include "cuda/launch.h"

namespace gradloom::cuda {
namespace {

constexpr int mostSources = 64;
constexpr int perThread = 4;

struct Sources {
  Source at[mostSources];
};

template <class Unit>
__device__ inline void copyUnits(uint8_t* to, const Source& from) {
  constexpr int64_t unit = sizeof(Unit);
  const int64_t start = int64_t{blockIdx.x} * perThread * blockThreads + threadIdx.x;
  for (int k = 0; k < perThread; k++) {
    const int64_t i = start + k * blockThreads;
    if (i >= from.bytes / unit) return;
    reinterpret_cast<Unit*>(to)[i] = reinterpret_cast<const Unit*>(from.at)[i];
  }
}

// A source for each block along y. `live`: where on the device the number of the entry is, if it
// is not the given one.
__global__ void noteKernel(uint8_t* journal, const __grid_constant__ Sources sources,
                           int64_t entries, int64_t stride, double place, const double* live) {
  const int64_t entry = int64_t(live != nullptr ? *live : place);
  if (entry < 0 || entry >= entries) return;
  const Source& from = sources.at[blockIdx.y];
  uint8_t* const to = journal + entry * stride + from.offset;
  const bool words =
      from.bytes % sizeof(uint32_t) == 0 && uintptr_t(from.at) % sizeof(uint32_t) == 0;
  if (words)
    copyUnits<uint32_t>(to, from);
  else
    copyUnits<uint8_t>(to, from);
}

}  // namespace

void note(uint8_t* journal, int64_t entries, int64_t stride, const double* place,
          const std::vector<Source>& sources) {
  const double* const live = Machine::current().live(place);
  Sources some;
  int64_t count = 0, most = 0;
  const auto run = [&] {
    const dim3 grid(unsigned(ceilDiv(most, perThread * blockThreads)), unsigned(count));
    launch("note", {count, most}, grid, dim3(blockThreads), noteKernel, journal, some, entries,
           stride, *place, live);
    count = most = 0;
  };
  for (const Source& each : sources) {
    if (each.bytes == 0) continue;
    some.at[count++] = each;
    if (each.bytes > most) most = each.bytes;
    if (count == mostSources) run();
  }
  if (count > 0) run();
}

}  // namespace gradloom::cuda
