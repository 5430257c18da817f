// Elementwise functions of the native surface: checks, then kernels.
#include "api/api.h"
#include "api/tables.h"

namespace gradloom::api {
namespace {

enum Position { kernelAt, outAt, x0At };  // of arguments of map and mapStrided

// Checks number, types and presence of the operands; gives how many there are.
int checkOperands(const Call& call, int kernel, const Array& out, const Array (&x)[maxOperands]) {
  call.checkNumber(kernelAt, kernel, kernelCount);
  const KernelInfo& info = kernelInfo[kernel];
  for (int i = 0; i < maxOperands; i++) {
    if (i < info.count && x[i].data == nullptr) call.typeError(x0At + i, "is null, but needed");
    if (i >= info.count && x[i].data != nullptr)
      call.typeError(x0At + i, "is given, expected null");
    if (i < info.count) call.checkType(x[i], x[0].dtype);
  }
  if (info.kind == Kind::real) call.checkReal(x[0]);
  call.checkType(out, info.kind == Kind::compare ? DType::uint8 : x[0].dtype);
  return info.count;
}

// Positions that strides reach from the first element on must lie within the operand.
void checkReach(const Call& call, const Array& x, const int64_t (&count)[3],
                const int64_t (&stride)[3]) {
  int64_t lowest = 0, highest = 0;  // counts and strides are 32 bits wide: no overflow
  for (int d = 0; d < 3; d++) {
    const int64_t last = (count[d] - 1) * stride[d];
    if (last < 0)
      lowest += last;
    else
      highest += last;
  }
  if (lowest < 0 || highest >= x.length) {
    call.rangeError(x.position, "has " + std::to_string(x.length) + " elements, but its strides " +
                                    "reach from " + std::to_string(lowest) + " to " +
                                    std::to_string(highest));
  }
}

}  // namespace

void map(const Call& call, int kernel, Array out, Array x0, MaybeArray x1, MaybeArray x2,
         MaybeArray x3, double p, double q) {
  const Array x[maxOperands] = {x0, x1, x2, x3};
  const int count = checkOperands(call, kernel, out, x);
  withType(x0.dtype, [&](auto zero) {
    using T = decltype(zero);
    Operands<T> operands{};
    for (int i = 0; i < count; i++) {
      operands.at[i] = x[i].as<T>();
      operands.step[i] = call.checkRepeating(x[i], out.length);
    }
    typeKernels<T>(call).map(kernel, out.data, operands, out.length, p, q);
  });
}

void mapStrided(const Call& call, int kernel, Array out, Array x0, MaybeArray x1, MaybeArray x2,
                MaybeArray x3, double p, double q, HostArray walkArray) {
  const Array x[maxOperands] = {x0, x1, x2, x3};
  const int operands = checkOperands(call, kernel, out, x);
  call.checkType(walkArray, DType::int32);
  call.checkLength(walkArray, 3 + 3 * maxOperands);
  const int32_t* numbers = walkArray.as<int32_t>();
  Walk walk{};
  for (int d = 0; d < 3; d++) {
    walk.count[d] = numbers[d];
    if (walk.count[d] < 0) call.rangeError(walkArray.position, "has a negative count");
    for (int i = 0; i < operands; i++) walk.stride[i][d] = numbers[3 + 3 * i + d];
  }
  call.checkLength(out, call.product({walk.count[0], walk.count[1], walk.count[2]}));
  if (out.length == 0) return;
  for (int i = 0; i < operands; i++) checkReach(call, x[i], walk.count, walk.stride[i]);
  withType(x0.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* at[maxOperands] = {};
    for (int i = 0; i < operands; i++) at[i] = x[i].as<T>();
    typeKernels<T>(call).mapStrided(kernel, out.data, at, walk, p, q);
  });
}

void select(const Call& call, Array out, Array condition, Array a, Array b) {
  call.checkType(condition, DType::uint8);
  call.checkType(a, out.dtype);
  call.checkType(b, out.dtype);
  const int64_t conditionStep = call.checkRepeating(condition, out.length);
  const int64_t aStep = call.checkRepeating(a, out.length);
  const int64_t bStep = call.checkRepeating(b, out.length);
  withSize(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    sizeKernels<T>(call).select(out.as<T>(), condition.as<uint8_t>(), conditionStep, a.as<T>(),
                                aStep, b.as<T>(), bStep, out.length);
  });
}

void cast(const Call& call, Array out, Array a, bool toBool) {
  call.checkLength(a, out.length);
  if (toBool) call.checkType(out, DType::uint8);
  withType(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (toBool)
      typeKernels<T>(call).castToBool(out.as<uint8_t>(), a.as<T>(), out.length);
    else
      typeKernels<T>(call).cast(out.dtype, out.data, a.as<T>(), out.length);
  });
}

void fill(const Call& call, Array out, double value) {
  withType(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    typeKernels<T>(call).fill(out.as<T>(), value, out.length);
  });
}

}  // namespace gradloom::api
