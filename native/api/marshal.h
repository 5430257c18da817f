// From JavaScript to C++ and back: decodes arguments by the parameter types of the function they
// are for, positionally and without allocating, and turns exceptions into JavaScript errors.
#pragma once

#include <node_api.h>

#include <new>
#include <tuple>
#include <utility>

#include "api/device.h"
#include "api/program.h"

namespace gradloom::api {

// Lists longer than any model has parameters are refused before they are read.
constexpr uint32_t longestList = 1 << 20;

// How an argument of each type is read. A number must be one already: nothing is converted, so no
// JavaScript runs, except by reading the elements of a list.
template <class T>
struct Argument;

template <>
struct Argument<double> {
  static double read(const Call& call, napi_env env, napi_value value, int position) {
    double number;
    if (napi_get_value_double(env, value, &number) != napi_ok) {
      call.typeError(position, "is not a number");
    }
    return number;
  }
};

// A size or an offset: a whole number, not negative.
template <>
struct Argument<int64_t> {
  static int64_t read(const Call& call, napi_env env, napi_value value, int position) {
    const double number = Argument<double>::read(call, env, value, position);
    if (!(number >= 0 && number <= 0x1p53)) notWhole(call, position, number);
    const int64_t whole = int64_t(number);
    if (double(whole) != number) notWhole(call, position, number);
    return whole;
  }
  [[noreturn]] static void notWhole(const Call& call, int position, double number) {
    call.rangeError(position, "is " + std::to_string(number) + ", expected a whole number from 0");
  }
};

// The number of a kernel, or -1.
template <>
struct Argument<int> {
  static int read(const Call& call, napi_env env, napi_value value, int position) {
    const double number = Argument<double>::read(call, env, value, position);
    if (!(number >= -1 && number <= INT32_MAX) || double(int(number)) != number) {
      call.rangeError(position,
                      "is " + std::to_string(number) + ", expected a whole number from -1");
    }
    return int(number);
  }
};

// 32 bits, given as a signed or unsigned whole number.
template <>
struct Argument<uint32_t> {
  static uint32_t read(const Call& call, napi_env env, napi_value value, int position) {
    const double number = Argument<double>::read(call, env, value, position);
    if (!(number >= -0x1p31 && number < 0x1p32) || double(int64_t(number)) != number) {
      call.rangeError(position,
                      "is " + std::to_string(number) + ", expected a 32-bit whole number");
    }
    return uint32_t(int64_t(number));
  }
};

template <>
struct Argument<bool> {
  static bool read(const Call& call, napi_env env, napi_value value, int position) {
    bool truth;
    if (napi_get_value_bool(env, value, &truth) != napi_ok) {
      call.typeError(position, "is not true or false");
    }
    return truth;
  }
};

template <>
struct Argument<Array> {
  static Array read(const Call& call, napi_env env, napi_value value, int position) {
    Array array;
    array.position = position;
    if (!call.device().read(env, value, array)) call.typeError(position, call.device().notAnArray);
    return array;
  }
};

template <class Kind>
struct HostArgument {
  static Kind read(const Call& call, napi_env env, napi_value value, int position) {
    Kind array;
    array.position = position;
    if (!readTypedArray(env, value, array)) call.typeError(position, notATypedArray);
    return array;
  }
};
template <>
struct Argument<HostArray> : HostArgument<HostArray> {};
template <>
struct Argument<LiveArray> : HostArgument<LiveArray> {};

template <>
struct Argument<MaybeArray> {
  static MaybeArray read(const Call& call, napi_env env, napi_value value, int position) {
    MaybeArray array;
    array.position = position;
    if (call.device().read(env, value, array)) return array;  // what is cheaper to ask, first
    napi_valuetype type;
    const bool known = napi_typeof(env, value, &type) == napi_ok;
    if (!known || (type != napi_null && type != napi_undefined)) {
      call.typeError(position, call.device().neitherNullNorArray);
    }
    array.data = nullptr;
    return array;
  }
};

template <>
struct Argument<ArrayList> {
  static ArrayList read(const Call& call, napi_env env, napi_value value, int position) {
    ArrayList list;
    list.position = position;
    bool isArray = false;
    uint32_t length = 0;
    if (napi_is_array(env, value, &isArray) != napi_ok || !isArray ||
        napi_get_array_length(env, value, &length) != napi_ok || length > longestList) {
      call.typeError(position, "is not an array of typed arrays");
    }
    list.items.resize(length);
    for (uint32_t i = 0; i < length; i++) {
      if (napi_get_element(env, value, i, &list.items[i]) != napi_ok ||
          !call.device().isArray(env, list.items[i])) {
        call.typeError(position, "has an element that is not a typed array");
      }
    }
    return list;
  }
};

// Any value, as it is.
template <>
struct Argument<napi_value> {
  static napi_value read(const Call&, napi_env, napi_value value, int) { return value; }
};

inline napi_value toJs(napi_env env, int64_t number) {
  napi_value value = nullptr;
  napi_create_int64(env, number, &value);
  return value;
}
inline napi_value toJs(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

inline napi_value toJs(napi_env, napi_value value) {
  return value;
}

inline void throwInto(napi_env env, const BadArgument& bad) {
  bool pending = false;  // a getter in a list may have thrown: its error goes first
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  if (bad.range)
    napi_throw_range_error(env, nullptr, bad.message.c_str());
  else
    napi_throw_type_error(env, nullptr, bad.message.c_str());
}

// `kept`: calls of the function are recorded while the thread records.
template <auto function, bool kept = false>
struct Binding;

template <class R, class... A, R (*function)(const Call&, A...), bool kept>
struct Binding<function, kept> {
  // Node-API's signature; `data` of the callback is the function's Signature.
  static napi_value run(napi_env env, napi_callback_info info) {
    return run(env, info, std::index_sequence_for<A...>{});
  }

 private:
  template <size_t... I>
  static napi_value run(napi_env env, napi_callback_info info, std::index_sequence<I...>) {
    napi_value values[sizeof...(A) + 1];  // at least one
    size_t count = sizeof...(A);
    void* data = nullptr;
    if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
    const Call call(env, *static_cast<const Signature*>(data));
    try {
      std::tuple<std::decay_t<A>...> arguments{
          Argument<std::decay_t<A>>::read(call, env, values[I], int(I))...};
      napi_value result = nullptr;
      if constexpr (std::is_void_v<R>) {
        function(call, std::get<I>(arguments)...);
      } else {
        result = toJs(env, function(call, std::get<I>(arguments)...));
      }
      if constexpr (kept) {
        if (Program* program = recording()) {
          record<function>(*program, call, values, std::move(arguments),
                           std::index_sequence_for<A...>{});
        }
      }
      return result;
    } catch (const BadArgument& bad) {
      throwInto(env, bad);
    } catch (const std::bad_alloc&) {
      napi_throw_error(env, nullptr, "gradloom: out of memory");
    }
    return nullptr;
  }
};

}  // namespace gradloom::api
