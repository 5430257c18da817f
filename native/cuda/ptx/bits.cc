// Logic, shifts, fields of bits, copies and choices.
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

struct And {
  template <class T>
  static T of(T a, T b) {
    return T(a & b);
  }
};
struct Or {
  template <class T>
  static T of(T a, T b) {
    return T(a | b);
  }
};
struct Xor {
  template <class T>
  static T of(T a, T b) {
    return T(a ^ b);
  }
};
struct Not {
  template <class T>
  static T of(T a) {
    return T(~a);
  }
};
struct Copy {
  template <class T>
  static T of(T a) {
    return a;
  }
};
struct ShiftLeft {
  template <class T>
  static T of(T a, uint32_t by) {
    return by < 8 * sizeof(T) ? T(a << by) : T(0);
  }
};
struct ShiftRight {
  template <class T>
  static T of(T a, uint32_t by) {
    return by < 8 * sizeof(T) ? T(a >> by) : T(0);
  }
};
struct LeadingZeros {
  static uint32_t of(uint32_t a) { return a == 0 ? 32 : uint32_t(__builtin_clz(a)); }
  static uint32_t of(uint64_t a) { return a == 0 ? 64 : uint32_t(__builtin_clzll(a)); }
};
struct CountOnes {
  static uint32_t of(uint64_t a) { return uint32_t(__builtin_popcountll(a)); }
};
struct Reverse {
  template <class T>
  static T of(T a) {
    T reversed = 0;
    for (size_t bit = 0; bit < 8 * sizeof(T); bit++) reversed = T(reversed << 1 | (a >> bit & 1));
    return reversed;
  }
};
// Two numbers as one of 64 bits, shifted; one half is the result.
struct FunnelLeft {
  static uint32_t of(uint32_t low, uint32_t high, uint32_t by) {
    return uint32_t((uint64_t(high) << 32 | low) << (by & 31) >> 32);
  }
};
struct FunnelRight {
  static uint32_t of(uint32_t low, uint32_t high, uint32_t by) {
    return uint32_t((uint64_t(high) << 32 | low) >> (by & 31));
  }
};
// Bytes chosen from two words; the fourth bit of a choice spreads the byte's sign.
struct Permute {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t choice) {
    const uint64_t bytes = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (int byte = 0; byte < 4; byte++) {
      const uint32_t which = choice >> 4 * byte & 15;
      uint32_t taken = uint32_t(bytes >> 8 * (which & 7)) & 255;
      if ((which & 8) != 0) taken = (taken & 128) != 0 ? 255 : 0;
      result |= taken << 8 * byte;
    }
    return result;
  }
};

template <class T>
T fieldMask(uint32_t begin, uint32_t count) {
  constexpr uint32_t bits = 8 * sizeof(T);
  if (begin >= bits || count == 0) return 0;
  const T ones = count >= bits ? T(~T(0)) : T((T(1) << count) - 1);
  return T(ones << begin);
}
template <class T>
void insertField(Warp& warp, const Instruction& i) {
  T* const to = warp.at<T>(i.at[0]);
  const T* const field = warp.at<T>(i.at[1]);
  const T* const base = warp.at<T>(i.at[2]);
  const uint32_t* const begin = warp.at<uint32_t>(i.at[3]);
  const uint32_t* const count = warp.at<uint32_t>(i.at[4]);
  eachLane(warp, [=](int lane) {
    const T mask = fieldMask<T>(begin[lane] & 255, count[lane] & 255);
    const T placed = ShiftLeft::of(field[lane], begin[lane] & 255);
    to[lane] = T((base[lane] & T(~mask)) | (placed & mask));
  });
}
struct ExtractField {  // unsigned
  template <class T>
  static T of(T a, uint32_t begin, uint32_t count) {
    return T(ShiftRight::of(a, begin & 255) & fieldMask<T>(0, count & 255));
  }
};

// Any function of three bits, given as its table.
void threeInputLogic(Warp& warp, const Instruction& i) {
  uint32_t* const to = warp.at<uint32_t>(i.at[0]);
  const uint32_t* const a = warp.at<uint32_t>(i.at[1]);
  const uint32_t* const b = warp.at<uint32_t>(i.at[2]);
  const uint32_t* const c = warp.at<uint32_t>(i.at[3]);
  const uint32_t table = warp.at<uint32_t>(i.at[4])[0];
  eachLane(warp, [=](int lane) {
    uint32_t result = 0;
    for (int row = 0; row < 8; row++) {
      if ((table >> row & 1) == 0) continue;
      result |= ((row & 4) != 0 ? a[lane] : ~a[lane]) & ((row & 2) != 0 ? b[lane] : ~b[lane]) &
                ((row & 1) != 0 ? c[lane] : ~c[lane]);
    }
    to[lane] = result;
  });
}

template <class T>
void choose(Warp& warp, const Instruction& i) {
  T* const to = warp.at<T>(i.at[0]);
  const T* const a = warp.at<T>(i.at[1]);
  const T* const b = warp.at<T>(i.at[2]);
  const uint32_t condition = warp.predicate(i.at[3]);
  eachLane(warp, [=](int lane) { to[lane] = (condition >> lane & 1) != 0 ? a[lane] : b[lane]; });
}

// Predicates are bits of a word, so one operation is for all lanes.
template <class F>
void logicOfPredicates(Warp& warp, const Instruction& i) {
  uint32_t& to = warp.predicate(i.at[0]);
  const uint32_t result = F::of(warp.predicate(i.at[1]), warp.predicate(i.at[2]));
  to = (to & ~warp.mask) | (result & warp.mask);
}
template <class F>
void logicOfPredicate(Warp& warp, const Instruction& i) {
  uint32_t& to = warp.predicate(i.at[0]);
  to = (to & ~warp.mask) | (F::of(warp.predicate(i.at[1])) & warp.mask);
}

template <class T>
void addType(Table& table, const std::string& bits) {
  add2<And, T, T, T>(table, "and.b" + bits);
  add2<Or, T, T, T>(table, "or.b" + bits);
  add2<Xor, T, T, T>(table, "xor.b" + bits);
  add1<Not, T, T>(table, "not.b" + bits);
  add2<ShiftLeft, T, T, uint32_t>(table, "shl.b" + bits);
  add2<ShiftRight, T, T, uint32_t>(table, "shr.b" + bits);
  static constexpr char operands[] = {letterOf<T>, letterOf<T>, letterOf<T>, 'p', '\0'};
  for (const char* kind : {"b", "u", "s", "f"}) {
    add1<Copy, T, T>(table, "mov." + (kind + bits));
    table["selp." + (kind + bits)] = {choose<T>, operands};
  }
}
template <class T>
void addFields(Table& table, const std::string& bits) {
  static constexpr char operands[] = {letterOf<T>, letterOf<T>, letterOf<T>, 'w', 'w', '\0'};
  table["bfi.b" + bits] = {insertField<T>, operands};
  add3<ExtractField, T, T, uint32_t, uint32_t>(table, "bfe.u" + bits);
  add1<LeadingZeros, uint32_t, T>(table, "clz.b" + bits);
  add1<CountOnes, uint32_t, T>(table, "popc.b" + bits);
  add1<Reverse, T, T>(table, "brev.b" + bits);
}

}  // namespace

void addBits(Table& table) {
  addType<uint16_t>(table, "16");
  addType<uint32_t>(table, "32");
  addType<uint64_t>(table, "64");
  addFields<uint32_t>(table, "32");
  addFields<uint64_t>(table, "64");
  using Word = uint32_t;
  add3<FunnelLeft, Word, Word, Word, Word>(table, "shf.l.wrap.b32");
  add3<FunnelRight, Word, Word, Word, Word>(table, "shf.r.wrap.b32");
  add3<Permute, Word, Word, Word, Word>(table, "prmt.b32");
  table["lop3.b32"] = {threeInputLogic, "wwwww"};
  table["and.pred"] = {logicOfPredicates<And>, "ppp"};
  table["or.pred"] = {logicOfPredicates<Or>, "ppp"};
  table["xor.pred"] = {logicOfPredicates<Xor>, "ppp"};
  table["not.pred"] = {logicOfPredicate<Not>, "pp"};
  table["mov.pred"] = {logicOfPredicate<Copy>, "pp"};
}

}  // namespace gradloom::ptx
