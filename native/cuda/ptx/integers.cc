// Integer arithmetic. It wraps, and signed numbers are computed as unsigned ones where that is the
// same, so that nothing overflows here.
#include <type_traits>

#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

struct Add {
  template <class T>
  static T of(T a, T b) {
    return T(a + b);
  }
};
struct Sub {
  template <class T>
  static T of(T a, T b) {
    return T(a - b);
  }
};
struct MulLow {
  template <class T>
  static T of(T a, T b) {
    return T(uint64_t(a) * uint64_t(b));
  }
};
struct MadLow {
  template <class T>
  static T of(T a, T b, T c) {
    return T(uint64_t(a) * uint64_t(b) + uint64_t(c));
  }
};
struct MulHigh {
  template <class T>
  static T of(T a, T b) {
    __extension__ using Signed = __int128;
    __extension__ using Unsigned = unsigned __int128;
    using Wide = std::conditional_t<std::is_signed_v<T>, Signed, Unsigned>;
    return T(Wide(a) * Wide(b) >> 8 * sizeof(T));
  }
};
struct MadHigh {
  template <class T>
  static T of(T a, T b, T c) {
    return Add::of(MulHigh::of(a, b), c);
  }
};
template <class Wide>
struct MulWide {
  template <class T>
  static Wide of(T a, T b) {
    return Wide(a) * Wide(b);
  }
};
template <class Wide>
struct MadWide {
  template <class T>
  static Wide of(T a, T b, Wide c) {
    return Wide(uint64_t(Wide(a) * Wide(b)) + uint64_t(c));
  }
};
// A division by zero gives some number and no fault, as on a device.
struct Div {
  template <class T>
  static T of(T a, T b) {
    if (b == 0) return T(-1);
    if (std::is_signed_v<T> && b == T(-1)) return T(0 - uint64_t(a));
    return T(a / b);
  }
};
struct Rem {
  template <class T>
  static T of(T a, T b) {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == T(-1)) return 0;
    return T(a % b);
  }
};
struct Min {
  template <class T>
  static T of(T a, T b) {
    return a < b ? a : b;
  }
};
struct Max {
  template <class T>
  static T of(T a, T b) {
    return a > b ? a : b;
  }
};
struct Neg {
  template <class T>
  static T of(T a) {
    return T(0 - uint64_t(a));
  }
};
struct Abs {
  template <class T>
  static T of(T a) {
    return a < 0 ? Neg::of(a) : a;
  }
};
struct ShiftRight {  // of a signed number the sign comes in
  template <class T>
  static T of(T a, uint32_t by) {
    constexpr uint32_t bits = 8 * sizeof(T);
    return by < bits ? T(a >> by) : a < 0 ? T(-1) : T(0);
  }
};
struct DotOfBytes {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t c) {
    for (int byte = 0; byte < 4; byte++) c += (a >> 8 * byte & 255) * (b >> 8 * byte & 255);
    return c;
  }
};

template <class T>
void addType(Table& table, const std::string& type) {
  using U = std::make_unsigned_t<T>;
  add2<Add, U, U, U>(table, "add." + type);
  add2<Sub, U, U, U>(table, "sub." + type);
  add2<MulLow, U, U, U>(table, "mul.lo." + type);
  add3<MadLow, U, U, U, U>(table, "mad.lo." + type);
  add2<MulHigh, T, T, T>(table, "mul.hi." + type);
  add3<MadHigh, T, T, T, T>(table, "mad.hi." + type);
  add2<Div, T, T, T>(table, "div." + type);
  add2<Rem, T, T, T>(table, "rem." + type);
  add2<Min, T, T, T>(table, "min." + type);
  add2<Max, T, T, T>(table, "max." + type);
  add2<ShiftRight, T, T, uint32_t>(table, "shr." + type);
  if constexpr (std::is_signed_v<T>) {
    add1<Neg, T, T>(table, "neg." + type);
    add1<Abs, T, T>(table, "abs." + type);
  }
}
template <class T, class Wide>
void addWide(Table& table, const std::string& type) {
  add2<MulWide<Wide>, Wide, T, T>(table, "mul.wide." + type);
  add3<MadWide<Wide>, Wide, T, T, Wide>(table, "mad.wide." + type);
}

// ---- sums with a carry -------------------------------------------------------------------------

enum class Kind { add, sub, madLow, madHigh };

// The number that is added, or taken away, after a product if there is one.
template <Kind kind>
uint64_t carried(Warp& warp, const Instruction& i, int lane, bool carryIn, uint32_t& result) {
  const uint32_t a = warp.at<uint32_t>(i.at[1])[lane], b = warp.at<uint32_t>(i.at[2])[lane];
  const uint64_t in = carryIn ? warp.carry >> lane & 1 : 0;
  uint64_t sum = 0;
  if constexpr (kind == Kind::add) sum = uint64_t(a) + b + in;
  if constexpr (kind == Kind::sub) sum = uint64_t(a) - b - in;
  if constexpr (kind == Kind::madLow || kind == Kind::madHigh) {
    const uint64_t product = uint64_t(a) * b;
    const uint32_t part = uint32_t(kind == Kind::madHigh ? product >> 32 : product);
    sum = uint64_t(part) + warp.at<uint32_t>(i.at[3])[lane] + in;
  }
  result = uint32_t(sum);
  return sum >> 32 & 1;
}
template <Kind kind, bool carryIn, bool carryOut>
void withCarry(Warp& warp, const Instruction& i) {
  uint32_t* const to = warp.at<uint32_t>(i.at[0]);
  for (int lane = 0; lane < lanes; lane++) {
    if (!warp.has(lane)) continue;
    uint32_t result = 0;
    const uint32_t carry = uint32_t(carried<kind>(warp, i, lane, carryIn, result));
    to[lane] = result;
    if (carryOut) warp.carry = (warp.carry & ~(1u << lane)) | carry << lane;
  }
}
template <Kind kind>
void addCarries(Table& table, const std::string& first, const std::string& next,
                const std::string& part, const char* operands) {
  for (const char* type : {"u32", "s32", "b32"}) {
    table[first + part + ".cc." + type] = {withCarry<kind, false, true>, operands};
    table[next + part + ".cc." + type] = {withCarry<kind, true, true>, operands};
    table[next + part + "." + type] = {withCarry<kind, true, false>, operands};
  }
}

}  // namespace

void addIntegers(Table& table) {
  addType<int16_t>(table, "s16");
  addType<uint16_t>(table, "u16");
  addType<int32_t>(table, "s32");
  addType<uint32_t>(table, "u32");
  addType<int64_t>(table, "s64");
  addType<uint64_t>(table, "u64");
  addWide<int16_t, int32_t>(table, "s16");
  addWide<uint16_t, uint32_t>(table, "u16");
  addWide<int32_t, int64_t>(table, "s32");
  addWide<uint32_t, uint64_t>(table, "u32");
  add3<DotOfBytes, uint32_t, uint32_t, uint32_t, uint32_t>(table, "dp4a.u32.u32");
  addCarries<Kind::add>(table, "add", "addc", "", "www");
  addCarries<Kind::sub>(table, "sub", "subc", "", "www");
  addCarries<Kind::madLow>(table, "mad", "madc", ".lo", "wwww");
  addCarries<Kind::madHigh>(table, "mad", "madc", ".hi", "wwww");
}

}  // namespace gradloom::ptx
