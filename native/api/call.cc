#include "api/call.h"

#include "api/device.h"

namespace gradloom::api {

const char* nameOf(DType type) {
  switch (type) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::int32:
      return "int32";
    case DType::uint8:
      return "uint8";
  }
  return "unknown";
}

int64_t bytesOf(DType type) {
  return withType(type, [](auto zero) { return int64_t{sizeof(zero)}; });
}

// "softmax: argument rows"
std::string Call::describe(int position) const {
  std::string names = signature.arguments;
  for (int i = 0; i < position; i++) names.erase(0, names.find(' ') + 1);
  return std::string(signature.name) + ": " + names.substr(0, names.find(' '));
}

void Call::typeError(int position, const char* problem) const {
  throw BadArgument{false, describe(position) + " " + problem};
}

void Call::rangeError(int position, const std::string& problem) const {
  throw BadArgument{true, describe(position) + " " + problem};
}

int64_t Call::product(std::initializer_list<int64_t> sizes) const {
  double whole = 1;
  for (const int64_t size : sizes) whole *= double(size);
  if (!(whole <= 0x1p53)) {
    throw BadArgument{true,
                      std::string(signature.name) + ": the product of the sizes is too large"};
  }
  return int64_t(whole);
}

void Call::checkLength(const Array& array, int64_t expected) const {
  if (array.length == expected) return;
  rangeError(array.position, "has " + std::to_string(array.length) + " elements, expected " +
                                 std::to_string(expected));
}

int64_t Call::checkRepeating(const Array& array, int64_t expected) const {
  if (array.length == expected) return expected == 1 ? 0 : 1;
  if (array.length == 1) return 0;
  rangeError(array.position, "has " + std::to_string(array.length) + " elements, expected " +
                                 std::to_string(expected) + " or 1");
}

void Call::checkType(const Array& array, DType expected) const {
  if (array.dtype == expected) return;
  const std::string problem =
      std::string("is ") + nameOf(array.dtype) + ", expected " + nameOf(expected);
  typeError(array.position, problem.c_str());
}

void Call::checkReal(const Array& array) const {
  if (array.dtype == DType::float32 || array.dtype == DType::float64) return;
  const std::string problem =
      std::string("is ") + nameOf(array.dtype) + ", expected float32 or float64";
  typeError(array.position, problem.c_str());
}

void Call::checkMaybe(const MaybeArray& array, DType type, int64_t length) const {
  if (!array) return;
  checkType(array, type);
  checkLength(array, length);
}

void Call::checkNumber(int position, int value, int count) const {
  if (value >= 0 && value < count) return;
  rangeError(position, "is " + std::to_string(value) + ", expected a number from 0 to " +
                           std::to_string(count - 1));
}

std::vector<Array> Call::open(const ArrayList& list) const {
  if (!list.arrays.empty()) return list.arrays;
  std::vector<Array> arrays(list.items.size());
  for (size_t i = 0; i < arrays.size(); i++) {
    arrays[i].position = list.position;
    if (!device().read(env, list.items[i], arrays[i])) {
      typeError(list.position,
                "has an element of another type than float32, float64, int32, uint8");
    }
  }
  return arrays;
}

}  // namespace gradloom::api
