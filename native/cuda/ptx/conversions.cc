// cvt between integers and floats, rounded to nearest or to an integer; cvta.
#include <limits>
#include <type_traits>

#include "cuda/ptx/half.h"
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

// Integers: what is wider than a register is cut, what is narrower is spread by its own sign.
template <class To, class From>
struct Integer {
  template <class Register>
  static To of(Register a) {
    return To(From(a));
  }
};
// To a float, to nearest; the processor's mode is never another here.
template <class To, class From>
struct ToFloat {
  template <class Register>
  static To of(Register a) {
    return To(From(a));
  }
};

struct Nearest {
  template <class T>
  static T of(T a) {
    return std::nearbyint(a);
  }
};
struct Down {
  template <class T>
  static T of(T a) {
    return std::floor(a);
  }
};
struct Up {
  template <class T>
  static T of(T a) {
    return std::ceil(a);
  }
};
struct Truncated {
  template <class T>
  static T of(T a) {
    return std::trunc(a);
  }
};
struct Saturated {
  template <class T>
  static T of(T a) {
    return a > 0 ? (a < 1 ? a : T(1)) : T(0);
  }
};

// To an integer: what is beyond its range is its nearest end. No number becomes 0, but the highest
// bit alone where one of the two types has 64 bits.
template <class To, class Rounding>
struct ToInteger {
  template <class From>
  static To of(From a) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(a)) {
      constexpr bool wide = sizeof(From) == 8 || sizeof(To) == 8;
      return wide ? To(std::make_unsigned_t<To>(1) << (8 * sizeof(To) - 1)) : To(0);
    }
    const From whole = Rounding::of(a);
    if (whole <= From(Limits::min())) return Limits::min();
    if (whole >= From(Limits::max())) return Limits::max();
    return To(whole);
  }
};

template <class T>
using RegisterOf = std::conditional_t<sizeof(T) == 1, uint16_t, T>;

// From registers of any width; in a register of the result's.
template <class To, class From>
void addIntegerPair(Table& table, const std::string& to, const std::string& from) {
  // A narrow result fills its register as its type says.
  using Result =
      std::conditional_t<sizeof(To) == 1 && std::is_signed_v<To>, int16_t, RegisterOf<To>>;
  add1<Integer<To, From>, Result, RegisterOf<From>>(table, "cvt." + to + "." + from);
}
template <class To>
void addIntegersTo(Table& table, const std::string& to) {
  addIntegerPair<To, int8_t>(table, to, "s8");
  addIntegerPair<To, uint8_t>(table, to, "u8");
  addIntegerPair<To, int16_t>(table, to, "s16");
  addIntegerPair<To, uint16_t>(table, to, "u16");
  addIntegerPair<To, int32_t>(table, to, "s32");
  addIntegerPair<To, uint32_t>(table, to, "u32");
  addIntegerPair<To, int64_t>(table, to, "s64");
  addIntegerPair<To, uint64_t>(table, to, "u64");
}

template <class T, class Float>
void addBothWays(Table& table, const std::string& integer, const std::string& type) {
  add1<ToFloat<Float, T>, Float, RegisterOf<T>>(table, "cvt.rn." + type + "." + integer);
  if constexpr (sizeof(T) > 1) {
    const std::string types = "." + integer + "." + type;
    add1<ToInteger<T, Nearest>, T, Float>(table, "cvt.rni" + types);
    add1<ToInteger<T, Truncated>, T, Float>(table, "cvt.rzi" + types);
    add1<ToInteger<T, Down>, T, Float>(table, "cvt.rmi" + types);
    add1<ToInteger<T, Up>, T, Float>(table, "cvt.rpi" + types);
  }
}
template <class Float>
void addFloat(Table& table, const std::string& type) {
  addBothWays<int8_t, Float>(table, "s8", type);
  addBothWays<uint8_t, Float>(table, "u8", type);
  addBothWays<int16_t, Float>(table, "s16", type);
  addBothWays<uint16_t, Float>(table, "u16", type);
  addBothWays<int32_t, Float>(table, "s32", type);
  addBothWays<uint32_t, Float>(table, "u32", type);
  addBothWays<int64_t, Float>(table, "s64", type);
  addBothWays<uint64_t, Float>(table, "u64", type);
  const std::string twice = "." + type + "." + type;
  add1<Nearest, Float, Float>(table, "cvt.rni" + twice);
  add1<Truncated, Float, Float>(table, "cvt.rzi" + twice);
  add1<Down, Float, Float>(table, "cvt.rmi" + twice);
  add1<Up, Float, Float>(table, "cvt.rpi" + twice);
  add1<Saturated, Float, Float>(table, "cvt.sat" + twice);
}

// Numbers of 16 bits and TF32.
template <auto function>
struct By {
  template <class T>
  static auto of(T a) {
    return function(a);
  }
};
void addNarrowFloats(Table& table) {
  add1<By<toHalf>, uint16_t, float>(table, "cvt.rn.f16.f32");
  add1<By<toBfloat>, uint16_t, float>(table, "cvt.rn.bf16.f32");
  add1<By<toTf32>, uint32_t, float>(table, "cvt.rna.tf32.f32");
  add1<By<fromHalf>, float, uint16_t>(table, "cvt.f32.f16");
  add1<By<fromBfloat>, float, uint16_t>(table, "cvt.f32.bf16");
}

// Addresses in a space and addresses that name any. Global ones are the same.
template <uint64_t window, bool toSpace>
struct Address {
  static uint64_t of(uint64_t a) {
    const bool ours = a >> 48 == window >> 48;
    if (toSpace) return ours ? a - window : ~uint64_t{0};  // any access there is an error
    return a + window;
  }
};
struct Same {
  static uint64_t of(uint64_t a) { return a; }
};

}  // namespace

void addConversions(Table& table) {
  addIntegersTo<int8_t>(table, "s8");
  addIntegersTo<uint8_t>(table, "u8");
  addIntegersTo<int16_t>(table, "s16");
  addIntegersTo<uint16_t>(table, "u16");
  addIntegersTo<int32_t>(table, "s32");
  addIntegersTo<uint32_t>(table, "u32");
  addIntegersTo<int64_t>(table, "s64");
  addIntegersTo<uint64_t>(table, "u64");
  addFloat<float>(table, "f32");
  addFloat<double>(table, "f64");
  addNarrowFloats(table);
  add1<ToFloat<double, float>, double, float>(table, "cvt.f64.f32");
  add1<ToFloat<float, double>, float, double>(table, "cvt.rn.f32.f64");
  for (const char* type : {".u64", ".s64"}) {
    add1<Same, uint64_t, uint64_t>(table, std::string("cvta.global") + type);
    add1<Same, uint64_t, uint64_t>(table, std::string("cvta.to.global") + type);
  }
  using Word = uint64_t;
  add1<Address<sharedWindow, false>, Word, Word>(table, "cvta.shared.u64");
  add1<Address<sharedWindow, true>, Word, Word>(table, "cvta.to.shared.u64");
  add1<Address<localWindow, false>, Word, Word>(table, "cvta.local.u64");
  add1<Address<localWindow, true>, Word, Word>(table, "cvta.to.local.u64");
}

}  // namespace gradloom::ptx
