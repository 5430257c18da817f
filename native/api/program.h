// Recorded calls: what a training step asks of the kernels, kept to be run again by one call.
//
// While a thread records, every call of a kernel that succeeded is kept with its arguments as they
// were decoded and checked. Run again, it skips Node-API and the decoding. Arrays stay where they
// are unless JavaScript lets go of them or gives their memory away: a program holds them against
// the one, and looks before every run whether the other has happened.
#pragma once

#include <js_native_api_types.h>

#include <cstring>
#include <memory>
#include <set>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/call.h"
#include "kernels/philox.h"

namespace gradloom::api {

class Program {
 public:
  // `place`: where in the stream of random numbers the recording begins.
  Program(const Call& call, Philox place);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // One recorded call.
  class Step {
   public:
    virtual ~Step() = default;
    // Random numbers are taken as far behind `now` as they were behind `recorded`. Returns what the
    // function returned: -1, or the position of what it refused.
    virtual int64_t run(Philox recorded, Philox now) = 0;
  };

  void add(std::unique_ptr<Step> step) { steps.push_back(std::move(step)); }
  // Holds an array argument: of the device, or a typed array whose values change.
  void hold(napi_value array, const Array& decoded, bool live = false);
  // The arrays whose values change between runs.
  std::vector<Array> liveArrays() const;
  // Bytes of an array that JavaScript may use again, copied; they live as long as the program.
  void* copy(const void* bytes, size_t size);
  // Numbers drawn from another stream than that of the beginning cannot be drawn anew.
  void draw(uint32_t key0, uint32_t key1) { steady &= key0 == begin.key0 && key1 == begin.key1; }
  // A call to another device cannot be part of it.
  void touch(const Call& call) { steady &= isOn(call); }
  bool isOn(const Call& call) const;
  bool repeatable() const { return steady; }

  // Throws BadArgument when an array is not where it was.
  void checkArrays();
  // All calls in order, up to one that refuses something. Returns the number of that, or -1.
  int64_t run(Philox now) const;

  napi_env environment() const { return env; }
  napi_ref arrays = nullptr;     // a JavaScript array of the arrays held
  napi_ref lengths = nullptr;    // another of their lengths, made when they are first needed
  std::shared_ptr<void> engine;  // what the device keeps of it

 private:
  struct Held {
    Array array;
    bool live;
  };

  // Whether all of a list of typed arrays have the lengths they were recorded with.
  bool haveLengths(napi_value list);

  napi_env env;
  const Device& device;
  const void* machine;
  Philox begin;
  uint64_t releasesSeen = 0;
  bool steady = true;
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<std::unique_ptr<char[]>> copies;
  // Where each array held lies.
  std::vector<Held> held;
  std::set<std::pair<const void*, int64_t>> seen;
};

// The program this thread is recording, or null.
Program* recording();

// ---- how an argument is kept --------------------------------------------------------------------

template <class T>
void keep(Program&, const Call&, napi_value, T&) {}

inline void keep(Program& program, const Call&, napi_value value, Array& array) {
  program.hold(value, array);
}
inline void keep(Program& program, const Call&, napi_value value, LiveArray& array) {
  program.hold(value, array, true);
}
inline void keep(Program& program, const Call&, napi_value value, MaybeArray& array) {
  if (array) program.hold(value, array);
}
inline void keep(Program& program, const Call&, napi_value, HostArray& array) {
  array.data = program.copy(array.data, size_t(array.length * bytesOf(array.dtype)));
}
inline void keep(Program& program, const Call& call, napi_value, ArrayList& list) {
  list.arrays = call.open(list);
  for (size_t i = 0; i < list.items.size(); i++) program.hold(list.items[i], list.arrays[i]);
  list.items.clear();
}

// Index of the first of the four numbers that say where random ones are taken from: key0, key1,
// counter0, counter1. No other arguments are of their type. The number of arguments if there are
// none.
template <class... A>
constexpr size_t placeIn() {
  constexpr bool isWord[] = {std::is_same_v<A, uint32_t>..., true};
  size_t i = 0;
  while (!isWord[i]) i++;
  return i;
}

template <auto function>
struct Recorded;

template <class R, class... A, R (*function)(const Call&, A...)>
struct Recorded<function> : Program::Step {
  using Arguments = std::tuple<std::decay_t<A>...>;
  static constexpr size_t place = placeIn<std::decay_t<A>...>();
  static constexpr bool draws = place < sizeof...(A);

  Recorded(const Call& recorded, Arguments&& given) : call(recorded), arguments(std::move(given)) {}

  int64_t run(Philox recorded, Philox now) override {
    return run(recorded, now, std::index_sequence_for<A...>{});
  }

 private:
  template <size_t... I>
  int64_t run(Philox recorded, Philox now, std::index_sequence<I...>) {
    if constexpr (draws) {
      Arguments moved = arguments;
      uint32_t& low = std::get<place + 2>(moved);
      uint32_t& high = std::get<place + 3>(moved);
      const uint64_t counter = (uint64_t{high} << 32 | low) - recorded.counter + now.counter;
      std::get<place>(moved) = now.key0, std::get<place + 1>(moved) = now.key1;
      low = uint32_t(counter), high = uint32_t(counter >> 32);
      function(call, std::get<I>(moved)...);
      return -1;
    } else if constexpr (std::is_same_v<R, int64_t>) {
      return function(call, std::get<I>(arguments)...);
    } else {
      function(call, std::get<I>(arguments)...);
      return -1;
    }
  }

  Call call;
  Arguments arguments;
};

// Keeps a call that was made.
template <auto function, size_t... I>
void record(Program& program, const Call& call, const napi_value* values,
            typename Recorded<function>::Arguments&& arguments, std::index_sequence<I...>) {
  using Kept = Recorded<function>;
  program.touch(call);
  (keep(program, call, values[I], std::get<I>(arguments)), ...);
  if constexpr (Kept::draws) {
    program.draw(std::get<Kept::place>(arguments), std::get<Kept::place + 1>(arguments));
  }
  program.add(std::make_unique<Kept>(call, std::move(arguments)));
}

// ---- what JavaScript calls ----------------------------------------------------------------------

// Function, names of its arguments.
#define GRADLOOM_RECORDING_API(ROW)                  \
  ROW(startRecording, "key0 key1 counter0 counter1") \
  ROW(finishRecording, "")                           \
  ROW(replay, "program key0 key1 counter0 counter1") \
  ROW(forget, "program")

void startRecording(const Call&, uint32_t key0, uint32_t key1, uint32_t counter0,
                    uint32_t counter1);
int64_t finishRecording(const Call&);
int64_t replay(const Call&, int64_t program, uint32_t key0, uint32_t key1, uint32_t counter0,
               uint32_t counter1);
void forget(const Call&, int64_t program);

}  // namespace gradloom::api
