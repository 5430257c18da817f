// Arithmetic and conversions rounded down, up and towards zero: the processor's rounding is set
// around the lanes. Compiled with -frounding-math.
#include <cfenv>

#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

template <int mode, Action action>
void inMode(Warp& warp, const Instruction& i) {
  const int before = std::fegetround();
  std::fesetround(mode);
  action(warp, i);
  std::fesetround(before);
}

// The optimizer must not move these out of the changed mode.
struct Add {
  template <class T>
  [[gnu::noinline]] static T of(T a, T b) {
    return a + b;
  }
};
struct Sub {
  template <class T>
  [[gnu::noinline]] static T of(T a, T b) {
    return a - b;
  }
};
struct Mul {
  template <class T>
  [[gnu::noinline]] static T of(T a, T b) {
    return a * b;
  }
};
struct Div {
  template <class T>
  [[gnu::noinline]] static T of(T a, T b) {
    return a / b;
  }
};
struct Fma {
  template <class T>
  [[gnu::noinline]] static T of(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
struct Sqrt {
  template <class T>
  [[gnu::noinline]] static T of(T a) {
    return std::sqrt(a);
  }
};
template <class To>
struct Convert {
  template <class T>
  [[gnu::noinline]] static To of(T a) {
    return To(a);
  }
};

template <int mode, class T>
void addType(Table& table, const std::string& suffix) {
  static constexpr const char* two = lettersOf<T, T, T>;
  table["add." + suffix] = {inMode<mode, binary<Add, T, T, T>>, two};
  table["sub." + suffix] = {inMode<mode, binary<Sub, T, T, T>>, two};
  table["mul." + suffix] = {inMode<mode, binary<Mul, T, T, T>>, two};
  table["div." + suffix] = {inMode<mode, binary<Div, T, T, T>>, two};
  table["fma." + suffix] = {inMode<mode, ternary<Fma, T, T, T, T>>, lettersOf<T, T, T, T>};
  table["sqrt." + suffix] = {inMode<mode, unary<Sqrt, T, T>>, lettersOf<T, T>};
}
template <int mode, class To, class From>
void addConversion(Table& table, const std::string& name) {
  table[name] = {inMode<mode, unary<Convert<To>, To, From>>, lettersOf<To, From>};
}

template <int mode>
void addMode(Table& table, const std::string& name) {
  addType<mode, float>(table, name + ".f32");
  addType<mode, double>(table, name + ".f64");
  const std::string to32 = "cvt." + name + ".f32.", to64 = "cvt." + name + ".f64.";
  addConversion<mode, float, double>(table, to32 + "f64");
  addConversion<mode, float, int32_t>(table, to32 + "s32");
  addConversion<mode, float, uint32_t>(table, to32 + "u32");
  addConversion<mode, float, int64_t>(table, to32 + "s64");
  addConversion<mode, float, uint64_t>(table, to32 + "u64");
  addConversion<mode, double, int64_t>(table, to64 + "s64");
  addConversion<mode, double, uint64_t>(table, to64 + "u64");
}

}  // namespace

void addRounded(Table& table) {
  addMode<FE_DOWNWARD>(table, "rm");
  addMode<FE_UPWARD>(table, "rp");
  addMode<FE_TOWARDZERO>(table, "rz");
}

}  // namespace gradloom::ptx
