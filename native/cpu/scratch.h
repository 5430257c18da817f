// Memory that kernels need beside their operands, and the sizes of the machine's caches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradloom {

// At least `bytes` bytes, aligned to 64, of the calling thread's own: kept until the thread ends,
// grown when more is asked for, overwritten by the thread's next user. Users ask for amounts that
// follow from cache sizes, not from tensors' (a few MiB), so failing ends the process.
void* scratch(size_t bytes);

// Sizes in bytes of a core's data caches, or usual ones where the system doesn't tell; and of all
// cores' third level together, 0 where it doesn't.
struct Caches {
  int64_t l1 = 32 << 10, l2 = 512 << 10, l3 = 0;
};
const Caches& caches();

// Whether a result of so many bytes, made from at least as many, should go past the caches by
// streaming stores: caches would have to read what it overwrites, and hold little of either array
// at the end.
bool worthStreaming(int64_t bytes);

// How many bytes ahead loops that store so ask for what they read: a small page, which is as far
// as processors do by themselves.
constexpr int64_t streamAhead = 4096;

// Asks the system for large pages in an array not yet used: of those of 4 KiB a long one has more
// than the processor can keep the places of, and every one is made at its first use.
void useLargePages(void* data, size_t bytes);

}  // namespace gradloom
