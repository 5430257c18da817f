// What the functions of the addon work with: their arguments as C++ values, the call they belong
// to, and the checks every argument goes through. Knows nothing of Node-API except handles passed
// on.
#pragma once

#include <js_native_api_types.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "cpu/tables.h"

namespace gradloom::api {

struct Device;

// A function as JavaScript sees it, for messages, and the device it works on.
struct Signature {
  const char* name;
  const char* arguments;  // names, separated by single spaces
  const Device* device;
};

// Thrown by checks, turned into a JavaScript TypeError or RangeError where the function was called.
struct BadArgument {
  bool range;
  std::string message;
};

// Memory of the call's device; on host devices a typed array. `position` says which argument it is.
struct Array {
  void* data = nullptr;
  int64_t length = 0;
  DType dtype = DType::float32;
  int position = 0;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

// A typed array on every device: its values count at the time of the call.
struct HostArray : Array {};

// A typed array whose values are read anew when a recorded call is run again.
struct LiveArray : Array {};

// An array or null; then data is null.
struct MaybeArray : Array {
  explicit operator bool() const { return data != nullptr; }
};

// A JavaScript array of arrays, not yet looked into: see Call::open. In a recorded call, what was
// found then.
struct ArrayList {
  std::vector<napi_value> items;
  std::vector<Array> arrays;
  int position = 0;

  size_t size() const { return arrays.empty() ? items.size() : arrays.size(); }
};

class Call {
 public:
  Call(napi_env environment, const Signature& called) : env(environment), signature(called) {}

  const Device& device() const { return *signature.device; }
  napi_env environment() const { return env; }

  [[noreturn]] void typeError(int position, const char* problem) const;
  [[noreturn]] void rangeError(int position, const std::string& problem) const;

  // Product of sizes; throws RangeError above 2^53, which no array reaches.
  int64_t product(std::initializer_list<int64_t> sizes) const;
  void checkLength(const Array& array, int64_t expected) const;
  // Length 1 or `expected`; gives the step to take through it, 0 or 1.
  int64_t checkRepeating(const Array& array, int64_t expected) const;
  void checkType(const Array& array, DType expected) const;
  void checkReal(const Array& array) const;
  // Length and type of an array that may be missing.
  void checkMaybe(const MaybeArray& array, DType type, int64_t length) const;
  // 0 <= value < count, for the numbers of kernels and the like.
  void checkNumber(int position, int value, int count) const;

  // The arrays of a list, all checked to be such. No JavaScript runs in here, so that data
  // pointers stay good; the lists of a call are opened after all its arguments were read.
  std::vector<Array> open(const ArrayList& list) const;

 private:
  std::string describe(int position) const;

  napi_env env;
  const Signature& signature;
};

const char* nameOf(DType type);
int64_t bytesOf(DType type);

// Calls body with a value of the element type: withType(array.dtype, [&](auto zero) { … }).
template <class Body>
auto withType(DType type, Body body) {
  switch (type) {
    case DType::float64:
      return body(double{});
    case DType::int32:
      return body(int32_t{});
    case DType::uint8:
      return body(uint8_t{});
    default:
      return body(float{});
  }
}

// The same for checked floating point types.
template <class Body>
auto withReal(DType type, Body body) {
  return type == DType::float64 ? body(double{}) : body(float{});
}

// The same with the unsigned type of the elements' size.
template <class Body>
auto withSize(DType type, Body body) {
  switch (type) {
    case DType::float64:
      return body(uint64_t{});
    case DType::uint8:
      return body(uint8_t{});
    default:
      return body(uint32_t{});
  }
}

}  // namespace gradloom::api
