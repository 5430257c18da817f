// Floating-point arithmetic, rounded to nearest. This file is compiled without contraction: a
// product and a sum are two roundings unless the instruction is fma. What PTX only approximates is
// rounded correctly here, so no result is better than what a device may give.
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

struct Add {
  template <class T>
  static T of(T a, T b) {
    return a + b;
  }
};
struct Sub {
  template <class T>
  static T of(T a, T b) {
    return a - b;
  }
};
struct Mul {
  template <class T>
  static T of(T a, T b) {
    return a * b;
  }
};
struct Div {
  template <class T>
  static T of(T a, T b) {
    return a / b;
  }
};
struct Fma {
  template <class T>
  static T of(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
struct Neg {
  template <class T>
  static T of(T a) {
    return -a;
  }
};
struct Abs {
  template <class T>
  static T of(T a) {
    return std::fabs(a);
  }
};
struct Sqrt {
  template <class T>
  static T of(T a) {
    return std::sqrt(a);
  }
};
struct Reciprocal {
  template <class T>
  static T of(T a) {
    return T(1) / a;
  }
};
// The number that is one; of two zeros the sign decides.
struct Min {
  template <class T>
  static T of(T a, T b) {
    if (std::isnan(a)) return b;
    if (a == b) return std::signbit(a) ? a : b;
    return a < b || std::isnan(b) ? a : b;
  }
};
struct Max {
  template <class T>
  static T of(T a, T b) {
    if (std::isnan(a)) return b;
    if (a == b) return std::signbit(a) ? b : a;
    return a > b || std::isnan(b) ? a : b;
  }
};
struct CopySign {  // the sign of the first, the rest of the second
  template <class T>
  static T of(T a, T b) {
    return std::copysign(b, a);
  }
};
struct Exp2 {
  static float of(float a) { return float(std::exp2(double(a))); }
};
struct Log2 {
  static float of(float a) { return float(std::log2(double(a))); }
};
struct InverseSqrt {
  static float of(float a) { return float(1 / std::sqrt(double(a))); }
};
struct Sine {
  static float of(float a) { return float(std::sin(double(a))); }
};
struct Cosine {
  static float of(float a) { return float(std::cos(double(a))); }
};
struct Tanh {
  static float of(float a) { return float(std::tanh(double(a))); }
};

float flushed(float a) {
  return std::fabs(a) < 0x1p-126f ? std::copysign(0.0f, a) : a;
}
// Numbers too small for full precision are taken, and given, as zeros.
template <class F>
struct Flushing {
  static float of(float a) { return flushed(F::of(flushed(a))); }
  static float of(float a, float b) { return flushed(F::of(flushed(a), flushed(b))); }
};
// The upper half of a double decides, and the lower half of the result is zero.
template <class F>
struct UpperHalf {
  static double upper(double a) {
    uint64_t bits;
    std::memcpy(&bits, &a, sizeof a);
    bits &= ~uint64_t{0xffffffff};
    std::memcpy(&a, &bits, sizeof a);
    return std::fabs(a) < 0x1p-1022 ? std::copysign(0.0, a) : a;
  }
  static double of(double a) { return upper(F::of(upper(a))); }
};
struct InverseSqrtDouble {
  static double of(double a) { return 1 / std::sqrt(a); }
};

template <class T>
void addType(Table& table, const std::string& type) {
  for (const char* rounding : {".", ".rn."}) {
    add2<Add, T, T, T>(table, "add" + (rounding + type));
    add2<Sub, T, T, T>(table, "sub" + (rounding + type));
    add2<Mul, T, T, T>(table, "mul" + (rounding + type));
  }
  add2<Div, T, T, T>(table, "div.rn." + type);
  add3<Fma, T, T, T, T>(table, "fma.rn." + type);
  add1<Neg, T, T>(table, "neg." + type);
  add1<Abs, T, T>(table, "abs." + type);
  add1<Sqrt, T, T>(table, "sqrt.rn." + type);
  add1<Reciprocal, T, T>(table, "rcp.rn." + type);
  add2<Min, T, T, T>(table, "min." + type);
  add2<Max, T, T, T>(table, "max." + type);
  add2<CopySign, T, T, T>(table, "copysign." + type);
}

template <class F>
void addApproximate(Table& table, const std::string& name) {
  add1<F, float, float>(table, name + ".approx.f32");
  add1<Flushing<F>, float, float>(table, name + ".approx.ftz.f32");
}

}  // namespace

void addFloats(Table& table) {
  addType<float>(table, "f32");
  addType<double>(table, "f64");
  addApproximate<Exp2>(table, "ex2");
  addApproximate<Log2>(table, "lg2");
  addApproximate<Reciprocal>(table, "rcp");
  addApproximate<Sqrt>(table, "sqrt");
  addApproximate<InverseSqrt>(table, "rsqrt");
  addApproximate<Sine>(table, "sin");
  addApproximate<Cosine>(table, "cos");
  add1<Tanh, float, float>(table, "tanh.approx.f32");
  for (const char* kind : {"div.approx", "div.full"}) {
    add2<Div, float, float, float>(table, std::string(kind) + ".f32");
    add2<Flushing<Div>, float, float, float>(table, std::string(kind) + ".ftz.f32");
  }
  add1<UpperHalf<Reciprocal>, double, double>(table, "rcp.approx.ftz.f64");
  add1<UpperHalf<InverseSqrtDouble>, double, double>(table, "rsqrt.approx.ftz.f64");
}

}  // namespace gradloom::ptx
