#include "api/device.h"

#include <node_api.h>

#include "cpu/threads.h"

namespace gradloom::api {
namespace {

bool isTypedArray(napi_env env, napi_value value) {
  bool truth = false;
  return napi_is_typedarray(env, value, &truth) == napi_ok && truth;
}

std::string describeProcessor() {
  return gradloom::describe().text;
}

}  // namespace

void* nothing() {
  alignas(8) static char place[8];
  return place;
}

bool readTypedArray(napi_env env, napi_value value, Array& array) {
  napi_typedarray_type type;
  size_t length;
  if (napi_get_typedarray_info(env, value, &type, &length, &array.data, nullptr, nullptr) !=
      napi_ok) {
    return false;
  }
  switch (type) {
    case napi_float32_array:
      array.dtype = DType::float32;
      break;
    case napi_float64_array:
      array.dtype = DType::float64;
      break;
    case napi_int32_array:
      array.dtype = DType::int32;
      break;
    case napi_uint8_array:
      array.dtype = DType::uint8;
      break;
    default:
      return false;
  }
  array.length = int64_t(length);
  if (length == 0) array.data = nothing();  // empty and detached arrays point nowhere
  return true;
}

const Device processor = {
    isTypedArray,      readTypedArray,
    notATypedArray,    "is neither null nor a Float32Array, Float64Array, Int32Array or Uint8Array",
    kernels,           GRADLOOM_MOVEMENT(gradloom),
    threadCount,       setThreadCount,
    describeProcessor, nullptr,
    nullptr,           nullptr,
};

}  // namespace gradloom::api
