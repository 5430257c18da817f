// CUDA devices in the native surface: the functions of GRADLOOM_API bound to each, and those that
// copy between host and device.
#include "api/cuda.h"

#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "api/api.h"
#include "api/cuda_memory.h"
#include "api/device.h"
#include "api/marshal.h"
#include "cuda/blas.h"
#include "cuda/device.h"
#include "cuda/journal.h"
#include "cuda/kernels.h"
#include "cuda/machine.h"
#include "cuda/precision.h"
#include "cuda/repeated.h"

namespace gradloom::api {
namespace {

using cuda::Machine;

// ---- copies ------------------------------------------------------------------------------------

size_t bytesIn(const Call& call, const Array& array, const HostArray& values) {
  call.checkType(values, array.dtype);
  call.checkLength(values, array.length);
  return size_t(array.length * bytesOf(array.dtype));
}

void write(const Call& call, Array array, HostArray values) {
  Machine::current().write(array.data, values.data, bytesIn(call, array, values));
}

void read(const Call& call, Array array, HostArray values) {
  Machine::current().read(values.data, array.data, bytesIn(call, array, values));
}

// 1 when all work is done; doesn't wait.
int64_t idle(const Call&) {
  return Machine::current().idle() ? 1 : 0;
}

// Times on the device: see cuda/timers.h.
int64_t startTimer(const Call&) {
  return Machine::current().timers.start();
}

void stopTimer(const Call& call, int64_t timer) {
  if (!Machine::current().timers.stop(timer)) call.rangeError(0, "is no timer of this device");
}

int64_t takeTimer(const Call& call, int64_t timer) {
  const int64_t nanoseconds = Machine::current().timers.take(timer);
  if (nanoseconds < 0) call.rangeError(0, "is no timer of this device that was stopped");
  return nanoseconds;
}

void allowPrecision(const Call& call, int precision) {
  call.checkNumber(0, precision, cuda::precisionCount);
  cuda::allowPrecision(cuda::Precision(precision));
}

int64_t precision(const Call&) {
  return int64_t(cuda::precision());
}

// What users should know of a machine that was opened; empty when nothing.
std::string complaint(const Call&) {
  return cuda::Blas::complaint();
}

void trim(const Call&) {
  Machine::current().trim();
}

void setMemoryLimit(const Call&, int64_t bytes) {
  Machine::current().setMemoryLimit(size_t(bytes));
}

std::string statistics(const Call&) {
  const Machine& machine = Machine::current();
  return asJson(machine.counters(), machine.statistics());
}

// Each source begins at a multiple of eight bytes.
void note(const Call& call, Array journal, LiveArray place, const ArrayList& list) {
  constexpr int64_t alignment = 8;
  call.checkType(journal, DType::uint8);
  call.checkType(place, DType::float64);
  call.checkLength(place, 1);
  std::vector<cuda::Source> sources;
  int64_t stride = 0;
  for (const Array& each : call.open(list)) {
    const int64_t bytes = each.length * bytesOf(each.dtype);
    sources.push_back({each.as<uint8_t>(), bytes, stride});
    stride += (bytes + alignment - 1) / alignment * alignment;
  }
  if (stride == 0) return;
  const int64_t entries = journal.length / stride;
  const double entry = *place.as<double>();
  if (!(entry >= 0 && entry < double(entries))) {
    call.rangeError(place.position, "is entry " + std::to_string(entry) + " of " +
                                        std::to_string(entries) + " that fit");
  }
  cuda::note(journal.as<uint8_t>(), entries, stride, place.as<double>(), sources);
}

#define GRADLOOM_MEMORY_API(ROW)         \
  ROW(allocate, "target dtype length")   \
  ROW(view, "target array start length") \
  ROW(release, "array")                  \
  ROW(deferChecks, "word")               \
  ROW(write, "array values")             \
  ROW(read, "array values")              \
  ROW(idle, "")                          \
  ROW(startTimer, "")                    \
  ROW(stopTimer, "timer")                \
  ROW(takeTimer, "timer")                \
  ROW(allowPrecision, "precision")       \
  ROW(precision, "")                     \
  ROW(complaint, "")                     \
  ROW(trim, "")                          \
  ROW(setMemoryLimit, "bytes")           \
  ROW(statistics, "")

// ---- functions ---------------------------------------------------------------------------------

int oneThread() {
  return 1;
}
void setNoThreads(int) {}
std::string describeMachine() {
  return Machine::current().describe() + ", " + cuda::Blas::describe();
}

const void* currentMachine() {
  return &Machine::current();
}

// Programs whose checks are deferred need no answer of the device, and can be repeated by it alone.
int64_t replayOnMachine(Program& program, Philox now) {
  Machine& machine = Machine::current();
  if (machine.refusals == nullptr) return program.run(now);
  if (!program.engine) {
    const auto made = std::make_shared<cuda::Repeated>(machine);
    for (const Array& each : program.liveArrays()) made->expect(each.as<double>(), each.length);
    program.engine = made;
  }
  static_cast<cuda::Repeated*>(program.engine.get())->run(now, [&] { program.run({0, 0, 0}); });
  return -1;
}

const Device gpu = {
    isMemory,
    readMemory,
    "is not memory of this device, or was given back",
    "is neither null nor memory of this device",
    cuda::kernels,
    GRADLOOM_MOVEMENT(cuda),
    oneThread,
    setNoThreads,
    describeMachine,
    replayOnMachine,
    currentMachine,
    releases,
};

// A function bound to a machine.
struct Bound : Signature {
  Machine* machine;
};

void throwFailure(napi_env env, const cuda::DeviceFailure& failure) {
  napi_throw_error(env, failure.memory ? "GRADLOOM_MEMORY" : "GRADLOOM_DEVICE",
                   failure.message.c_str());
}

// Node-API's signature; `data` is a Bound, as the Signature that it is. `kept` as in Binding.
template <auto function, bool kept>
napi_value onMachine(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto* bound = static_cast<const Bound*>(static_cast<const Signature*>(data));
  try {
    cuda::Turn turn(*bound->machine);
    bound->machine->refusals = deferredTo(*bound->machine);
    const napi_value result = Binding<function, kept>::run(env, info);
    turn.finish();
    return result;
  } catch (const cuda::DeviceFailure& failure) {
    throwFailure(env, failure);
  }
  return nullptr;
}

struct Function {
  const char* name;
  const char* arguments;
  napi_callback run;
};
#define GRADLOOM_KERNEL(name, arguments) {#name, arguments, onMachine<name, true>},
#define GRADLOOM_FUNCTION(name, arguments) {#name, arguments, onMachine<name, false>},
constexpr Function functions[] = {
    GRADLOOM_API(GRADLOOM_KERNEL) GRADLOOM_KERNEL(note, "journal place sources")
        GRADLOOM_MEMORY_API(GRADLOOM_FUNCTION) GRADLOOM_RECORDING_API(GRADLOOM_FUNCTION)};
#undef GRADLOOM_KERNEL
#undef GRADLOOM_FUNCTION

// What the functions of a machine are bound to; it lasts, since functions may outlive all else.
Bound* boundTo(Machine& machine) {
  static std::mutex opening;
  static auto& all = *new std::map<Machine*, std::unique_ptr<Bound[]>>;
  const std::lock_guard<std::mutex> lock(opening);
  std::unique_ptr<Bound[]>& bound = all[&machine];
  if (!bound) {
    bound = std::make_unique<Bound[]>(std::size(functions));
    for (size_t i = 0; i < std::size(functions); i++) {
      bound[i] = {{functions[i].name, functions[i].arguments, &gpu}, &machine};
    }
  }
  return bound.get();
}

void define(napi_env env, napi_value object, const char* name, napi_callback run, void* data) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, run, data, &function);
  napi_set_named_property(env, object, name, function);
}

// open(number): the functions of one machine.
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  double number = -1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_double(env, argument, &number);
  std::string reason;
  if (!(number >= 0 && number < Machine::count(&reason)) || double(int(number)) != number) {
    napi_throw_range_error(env, nullptr, "open: there is no device of this number");
    return nullptr;
  }
  napi_value object = nullptr;
  napi_create_object(env, &object);
  try {
    Machine& machine = Machine::at(int(number));
    Bound* const bound = boundTo(machine);
    for (size_t i = 0; i < std::size(functions); i++) {
      define(env, object, functions[i].name, functions[i].run, static_cast<Signature*>(&bound[i]));
    }
  } catch (const cuda::DeviceFailure& failure) {
    throwFailure(env, failure);
  }
  return object;
}

// count(): devices; reason(): why there are none.
napi_value countDevices(napi_env env, napi_callback_info) {
  std::string reason;
  return toJs(env, int64_t{Machine::count(&reason)});
}
napi_value reasonForNone(napi_env env, napi_callback_info) {
  std::string reason;
  Machine::count(&reason);
  return toJs(env, reason);
}

}  // namespace

void defineCuda(napi_env env, napi_value exports) {
#if defined(GRADLOOM_CUDA_EMULATED)
  constexpr bool emulated = true;
#else
  constexpr bool emulated = false;
#endif
  napi_value object = nullptr, truth = nullptr;
  napi_create_object(env, &object);
  napi_get_boolean(env, emulated, &truth);
  napi_set_named_property(env, object, "emulated", truth);
  define(env, object, "count", countDevices, nullptr);
  define(env, object, "reason", reasonForNone, nullptr);
  define(env, object, "open", open, nullptr);
  napi_set_named_property(env, exports, "cuda", object);
}

}  // namespace gradloom::api
