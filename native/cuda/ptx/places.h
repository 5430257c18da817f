// Where the bytes are that a warp reads or writes, and whether it may.
#pragma once

#include <cstdint>

#include "cuda/ptx/warp.h"

namespace gradloom::ptx {

// Of lanes that take no part, nothing is set.
struct Places {
  char* at[lanes];
};

enum class Use { read, write, atomic };

// Throws Fault. `bytes` is what each lane touches; it must begin on a bound of as many. `offsets`,
// if any, are added to the lanes' addresses.
template <Space space>
void locate(Warp& warp, const Instruction& i, uint32_t bytes, Use use, Places& places,
            const uint64_t* offsets = nullptr);

}  // namespace gradloom::ptx
