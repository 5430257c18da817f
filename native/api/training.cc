// Random numbers, updates, data loading and the machine in the native surface: checks, then
// kernels.
#include <cmath>

#include "api/api.h"
#include "api/tables.h"
#include "cpu/threads.h"

namespace gradloom::api {
namespace {

void checkWholeBound(const Call& call, int position, double bound) {
  if (std::abs(bound) <= 0x1p31 && std::floor(bound) == bound) return;
  call.rangeError(position, "is " + std::to_string(bound) + ", expected a 32-bit whole number");
}

// The arrays of all parameters of one type, as the kernel wants them.
template <class T>
struct Parameters {
  std::vector<T*> parameters, states;
  std::vector<const T*> gradients;
  std::vector<int64_t> lengths;

  void run(const Call& call, int update, const double* hyper) const {
    if (lengths.empty()) return;
    realKernels<T>(call).update(update, int64_t(lengths.size()), parameters.data(),
                                gradients.data(), states.data(), lengths.data(), hyper);
  }
};

void checkCount(const Call& call, const ArrayList& list, size_t expected) {
  if (list.size() == expected) return;
  call.rangeError(list.position, "has " + std::to_string(list.size()) + " arrays, expected " +
                                     std::to_string(expected));
}

}  // namespace

void random(const Call& call, int number, Array out, uint32_t key0, uint32_t key1,
            uint32_t counter0, uint32_t counter1, double p, double q) {
  call.checkNumber(0, number, distributionCount);
  const Distribution distribution = static_cast<Distribution>(number);
  const bool uniformInteger = distribution == Distribution::uniform && out.dtype == DType::int32;
  if (uniformInteger) {
    checkWholeBound(call, 6, p);
    checkWholeBound(call, 7, q);
    if (p >= q) call.rangeError(7, "is not above p: there is no integer in [p, q)");
  } else if (distribution != Distribution::bernoulli) {
    call.checkReal(out);
  }
  call.device().kernels().random().random(distribution, out.dtype, out.data, out.length,
                                          philoxAt(key0, key1, counter0, counter1), p, q);
}

void dropout(const Call& call, Array out, Array x, double rate, double a, double b, double c,
             uint32_t key0, uint32_t key1, uint32_t counter0, uint32_t counter1) {
  call.checkReal(out);
  call.checkType(x, out.dtype);
  call.checkLength(x, out.length);
  const Philox philox = philoxAt(key0, key1, counter0, counter1);
  const RandomKernels& random = call.device().kernels().random();
  if (out.dtype == DType::float32) {
    random.dropoutFloat(out.as<float>(), x.as<float>(), out.length, philox, rate, a, b, c);
  } else {
    random.dropoutDouble(out.as<double>(), x.as<double>(), out.length, philox, rate, a, b, c);
  }
}

void update(const Call& call, int number, const ArrayList& parameterList,
            const ArrayList& gradientList, const ArrayList& stateList, LiveArray hyper) {
  call.checkNumber(0, number, updateCount);
  const UpdateInfo& info = updateInfo[number];
  const size_t count = parameterList.size(), states = size_t(info.states);
  checkCount(call, gradientList, count);
  checkCount(call, stateList, count * states);
  call.checkType(hyper, DType::float64);
  call.checkLength(hyper, info.hypers);
  const std::vector<Array> parameters = call.open(parameterList);
  const std::vector<Array> gradients = call.open(gradientList);
  const std::vector<Array> stateArrays = call.open(stateList);
  Parameters<float> floats;
  Parameters<double> doubles;
  for (size_t i = 0; i < count; i++) {
    const Array& parameter = parameters[i];
    const auto check = [&](const Array& other) {
      call.checkType(other, parameter.dtype);
      call.checkLength(other, parameter.length);
    };
    call.checkReal(parameter);
    check(gradients[i]);
    for (size_t s = 0; s < states; s++) check(stateArrays[i * states + s]);
    const auto add = [&](auto& list, auto zero) {
      using T = decltype(zero);
      list.parameters.push_back(parameter.as<T>());
      list.gradients.push_back(gradients[i].as<T>());
      list.lengths.push_back(parameter.length);
      for (size_t s = 0; s < states; s++) {
        list.states.push_back(stateArrays[i * states + s].as<T>());
      }
    };
    if (parameter.dtype == DType::float32)
      add(floats, float{});
    else
      add(doubles, double{});
  }
  floats.run(call, number, hyper.as<double>());
  doubles.run(call, number, hyper.as<double>());
}

int64_t loadRows(const Call& call, Array out, Array data, MaybeArray index, MaybeArray center,
                 MaybeArray scale, int64_t n, int64_t count, int64_t width) {
  call.checkReal(out);
  call.checkLength(out, call.product({count, width}));
  call.checkLength(data, call.product({n, width}));
  call.checkMaybe(index, DType::int32, count);
  if (!index && count > n) call.rangeError(6, "is more than n, and there is no index");
  int64_t step = 0;
  if (center) {
    call.checkType(center, out.dtype);
    step = call.checkRepeating(center, width);
  }
  if (bool(center) != bool(scale)) call.typeError(4, "must be given with center, or neither");
  call.checkMaybe(scale, out.dtype, center.length);
  const int32_t* rows = index.as<int32_t>();
  const int64_t outside = index ? call.device().firstOutside(rows, count, n) : -1;
  if (outside >= 0 || out.length == 0) return outside;
  withType(data.dtype, [&](auto zero) {
    using From = decltype(zero);
    const TypeKernels<From>& kernel = typeKernels<From>(call);
    if (out.dtype == DType::float32) {
      kernel.loadRowsFloat(out.as<float>(), data.as<From>(), rows, center.as<float>(),
                           scale.as<float>(), step, n, count, width);
    } else {
      kernel.loadRowsDouble(out.as<double>(), data.as<From>(), rows, center.as<double>(),
                            scale.as<double>(), step, n, count, width);
    }
  });
  return -1;
}

int64_t threads(const Call& call) {
  return call.device().threads();
}

void setThreads(const Call& call, int64_t count) {
  if (count < 1 || count > maxThreads) {
    call.rangeError(
        0, "is " + std::to_string(count) + ", expected 1 to " + std::to_string(maxThreads));
  }
  call.device().setThreads(int(count));
}

std::string describe(const Call& call) {
  return call.device().describe();
}

}  // namespace gradloom::api
