// setp: comparisons whose results are bits of a predicate.
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

template <class F, class T>
void compare(Warp& warp, const Instruction& i) {
  const T* const a = warp.at<T>(i.at[1]);
  const T* const b = warp.at<T>(i.at[2]);
  uint32_t result = 0;
  for (int lane = 0; lane < lanes; lane++) result |= uint32_t(F::of(a[lane], b[lane])) << lane;
  uint32_t& to = warp.predicate(i.at[0]);
  to = (to & ~warp.mask) | (result & warp.mask);
}

#define GRADLOOM_COMPARISON(Name, expression) \
  struct Name {                               \
    template <class T>                        \
    static bool of(T a, T b) {                \
      return expression;                      \
    }                                         \
  };
GRADLOOM_COMPARISON(Equal, a == b)
GRADLOOM_COMPARISON(NotEqual, a != b)
GRADLOOM_COMPARISON(Less, a < b)
GRADLOOM_COMPARISON(LessEqual, a <= b)
GRADLOOM_COMPARISON(Greater, a > b)
GRADLOOM_COMPARISON(GreaterEqual, a >= b)
// Of floats: true as well when one is no number.
GRADLOOM_COMPARISON(EqualOrNan, !(a < b || a > b))
GRADLOOM_COMPARISON(LessOrNan, !(a >= b))
GRADLOOM_COMPARISON(LessEqualOrNan, !(a > b))
GRADLOOM_COMPARISON(GreaterOrNan, !(a <= b))
GRADLOOM_COMPARISON(GreaterEqualOrNan, !(a < b))
// And false then.
GRADLOOM_COMPARISON(Unequal, a<b || a> b)
GRADLOOM_COMPARISON(BothNumbers, a == a && b == b)
GRADLOOM_COMPARISON(AnyNan, a != a || b != b)
#undef GRADLOOM_COMPARISON

template <class F, class T>
void addOne(Table& table, const char* comparison, const std::string& type) {
  static constexpr char operands[] = {'p', letterOf<T>, letterOf<T>, '\0'};
  table["setp." + (comparison + ("." + type))] = {compare<F, T>, operands};
}
template <class T>
void addOrder(Table& table, const std::string& type) {
  addOne<Equal, T>(table, "eq", type);
  addOne<Less, T>(table, "lt", type);
  addOne<LessEqual, T>(table, "le", type);
  addOne<Greater, T>(table, "gt", type);
  addOne<GreaterEqual, T>(table, "ge", type);
}
template <class T>
void addInteger(Table& table, const std::string& bits) {
  addOrder<T>(table, (T(-1) < T(0) ? "s" : "u") + bits);
  addOne<NotEqual, T>(table, "ne", (T(-1) < T(0) ? "s" : "u") + bits);
  addOne<Equal, T>(table, "eq", "b" + bits);
  addOne<NotEqual, T>(table, "ne", "b" + bits);
}
template <class T>
void addFloat(Table& table, const std::string& type) {
  addOrder<T>(table, type);
  addOne<Unequal, T>(table, "ne", type);
  addOne<EqualOrNan, T>(table, "equ", type);
  addOne<NotEqual, T>(table, "neu", type);
  addOne<LessOrNan, T>(table, "ltu", type);
  addOne<LessEqualOrNan, T>(table, "leu", type);
  addOne<GreaterOrNan, T>(table, "gtu", type);
  addOne<GreaterEqualOrNan, T>(table, "geu", type);
  addOne<BothNumbers, T>(table, "num", type);
  addOne<AnyNan, T>(table, "nan", type);
}

}  // namespace

void addComparisons(Table& table) {
  addInteger<int16_t>(table, "16");
  addInteger<uint16_t>(table, "16");
  addInteger<int32_t>(table, "32");
  addInteger<uint32_t>(table, "32");
  addInteger<int64_t>(table, "64");
  addInteger<uint64_t>(table, "64");
  addFloat<float>(table, "f32");
  addFloat<double>(table, "f64");
}

}  // namespace gradloom::ptx
