// Which lane holds which element is the device's affair, since only these instructions may look:
// here a lane holds neighbours of a row.
#include "cuda/ptx/matrices.h"

#include <cstring>

#include "cuda/ptx/half.h"
#include "cuda/ptx/places.h"

namespace gradloom::ptx {
namespace {

int bytesOf(const Fragments& f) {
  return f.type == "f16" || f.type == "bf16" ? 2 : 4;
}

// The register, and the place within it, of the element `index` of a lane.
char* elementOf(Warp& warp, const std::vector<uint32_t>& registers, int bytes, int lane,
                int index) {
  const size_t at = size_t(index * bytes);
  return warp.at<char>(registers[at / 4]) + 4 * lane + at % 4;
}

// Reads elements of all lanes from memory, or writes them there.
template <Space space, Use use>
void transfer(Warp& warp, const Instruction& i) {
  const Fragments& f = *i.fragments;
  const int bytes = bytesOf(f), each = f.rows * f.columns / lanes;
  const uint64_t stride = warp.at<uint32_t>(f.stride)[0];
  for (int index = 0; index < each; index++) {
    uint64_t offsets[lanes];
    for (int lane = 0; lane < lanes; lane++) {
      const int element = lane * each + index;
      const uint64_t row = uint64_t(element / f.columns), column = uint64_t(element % f.columns);
      offsets[lane] =
          uint64_t(bytes) * (f.byColumns ? column * stride + row : row * stride + column);
    }
    Places places;
    locate<space>(warp, i, uint32_t(bytes), use, places, offsets);
    for (int lane = 0; lane < lanes; lane++) {
      char* const held = elementOf(warp, f.d, bytes, lane, index);
      char* const to = use == Use::read ? held : places.at[lane];
      std::memcpy(to, use == Use::read ? places.at[lane] : held, size_t(bytes));
    }
  }
}

// All elements of a factor, row by row.
std::vector<float> valuesOf(Warp& warp, const Fragments& f, const std::vector<uint32_t>& held,
                            int count) {
  std::vector<float> values(static_cast<size_t>(count));
  const int bytes = bytesOf(f), each = count / lanes;
  for (int element = 0; element < count; element++) {
    const char* const at = elementOf(warp, held, bytes, element / each, element % each);
    uint32_t bits = 0;
    std::memcpy(&bits, at, size_t(bytes));
    values[size_t(element)] = f.type == "f16"    ? fromHalf(uint16_t(bits))
                              : f.type == "bf16" ? fromBfloat(uint16_t(bits))
                                                 : ofBits(bits & ~uint32_t{0x1fff});
  }
  return values;
}

// d = a b + c. Products are exact, and their sum is rounded once: a device's order is not known.
void multiply(Warp& warp, const Instruction& i) {
  const Fragments& f = *i.fragments;
  const std::vector<float> a = valuesOf(warp, f, f.a, f.rows * f.inner);
  const std::vector<float> b = valuesOf(warp, f, f.b, f.inner * f.columns);
  const int each = f.rows * f.columns / lanes;
  for (int element = 0; element < f.rows * f.columns; element++) {
    const int row = element / f.columns, column = element % f.columns;
    const int lane = element / each, index = element % each;
    double sum = warp.at<float>(f.c[size_t(index)])[lane];
    for (int k = 0; k < f.inner; k++) {
      sum += double(a[size_t(row * f.inner + k)]) * b[size_t(k * f.columns + column)];
    }
    warp.at<float>(f.d[size_t(index)])[lane] = float(sum);
  }
}

Action transferOf(Space space, bool reads) {
  if (space == Space::shared) {
    return reads ? transfer<Space::shared, Use::read> : transfer<Space::shared, Use::write>;
  }
  if (space == Space::global) {
    return reads ? transfer<Space::global, Use::read> : transfer<Space::global, Use::write>;
  }
  return reads ? transfer<Space::generic, Use::read> : transfer<Space::generic, Use::write>;
}

}  // namespace

Action actionOfMatrices(const std::string& opcode, Space space, Fragments& f) {
  const auto has = [&](const char* word) { return opcode.find(word) != opcode.npos; };
  f.inner = has(".m16n16k8.") ? 8 : 16;
  if (f.inner == 16 && !has(".m16n16k16.")) return nullptr;
  f.type = opcode.substr(opcode.rfind('.') + 1);
  if (has("wmma.mma.sync.aligned.")) {
    if (!has(".f32") || f.type != "f32") return nullptr;
    // The types of a and b stand between those of d and c, and are f16 where none do.
    f.type = has(".bf16.bf16.") ? "bf16" : has(".tf32.tf32.") ? "tf32" : "f16";
    return multiply;
  }
  if (has("wmma.load.a.")) f.columns = f.inner;
  if (has("wmma.load.b.")) f.rows = f.inner;
  f.byColumns = has(".col.");
  if (has("wmma.load.")) return transferOf(space, true);
  return has("wmma.store.d.") ? transferOf(space, false) : nullptr;
}

}  // namespace gradloom::ptx
