// What the functions of the native surface need of a device: how its arrays are read from
// JavaScript, and its kernels. Checks are the same on all.
#pragma once

#include <js_native_api_types.h>

#include <string>

#include "api/call.h"
#include "cpu/kernels.h"
#include "cpu/move.h"

namespace gradloom::api {

// Moves of elements of a size; T is the unsigned type of that size. See cpu/move.h.
template <class T>
struct MoveKernels {
  void (*copy)(T*, const T*, CopyLoops);
  void (*gather)(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
  void (*takeAlong)(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
};

// What adds or compares elements of a type. See cpu/move.h.
template <class T>
struct OrderKernels {
  void (*scatterAdd)(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
  void (*putAlongAdd)(T*, const T*, const int32_t*, int64_t, int64_t, int64_t, int64_t);
  void (*cumsum)(T*, const T*, int64_t, int64_t, int64_t, bool);
  bool (*sort)(T*, int32_t*, const T*, int64_t, int64_t, int64_t, bool);
};

class Program;

struct Device {
  // Whether a value is an array of the device, and what it is; position is left as it was.
  bool (*isArray)(napi_env env, napi_value value);
  bool (*read)(napi_env env, napi_value value, Array& array);
  const char* notAnArray;  // after the name of an argument
  const char* neitherNullNorArray;

  const Kernels& (*kernels)();
  MoveKernels<uint8_t> move1;
  MoveKernels<uint32_t> move4;
  MoveKernels<uint64_t> move8;
  OrderKernels<float> float32;
  OrderKernels<double> float64;
  OrderKernels<int32_t> int32;
  OrderKernels<uint8_t> uint8;
  void (*cumsumWidened)(int32_t*, const uint8_t*, int64_t, int64_t, int64_t, bool);
  int64_t (*firstOutside)(const int32_t* index, int64_t count, int64_t n);

  int (*threads)();
  void (*setThreads)(int count);
  std::string (*describe)();

  // Makes the calls of a program again. Null: one by one.
  int64_t (*replay)(Program& program, Philox now);
  // Which of several devices calls go to at the moment. Null: there is one.
  const void* (*current)();
  // Counts how often memory in use was given back. Null: arrays must be looked at every time.
  uint64_t (*releases)();
};

// The members from move1 to firstOutside for the functions of a namespace.
#define GRADLOOM_MOVES(space, T) \
  { space::copy<T>, space::gather<T>, space::takeAlong<T> }
#define GRADLOOM_ORDERS(space, T) \
  { space::scatterAdd<T>, space::putAlongAdd<T>, space::cumsum<T, T>, space::sort<T> }
#define GRADLOOM_MOVEMENT(space)                                       \
  GRADLOOM_MOVES(space, uint8_t), GRADLOOM_MOVES(space, uint32_t),     \
      GRADLOOM_MOVES(space, uint64_t), GRADLOOM_ORDERS(space, float),  \
      GRADLOOM_ORDERS(space, double), GRADLOOM_ORDERS(space, int32_t), \
      GRADLOOM_ORDERS(space, uint8_t), space::cumsum<int32_t, uint8_t>, space::firstOutside

// The processor, whose arrays are typed arrays.
extern const Device processor;

constexpr const char* notATypedArray =
    "is not a Float32Array, Float64Array, Int32Array or Uint8Array";
bool readTypedArray(napi_env env, napi_value value, Array& array);

// Where arrays of no elements point to; kernels may do arithmetic on any pointer.
void* nothing();

}  // namespace gradloom::api
