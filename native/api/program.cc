#include "api/program.h"

#include <node_api.h>

#include <map>

#include "api/device.h"

namespace gradloom::api {
namespace {

// The programs of this thread by number, and the one being recorded. An environment has a thread of
// its own; numbers are never used again.
struct Programs {
  std::map<int64_t, std::unique_ptr<Program>> kept;
  std::unique_ptr<Program> current;
  int64_t last = 0;
  napi_ref looking = nullptr;  // see lookingFunction
  napi_env lookingIn = nullptr;
};

Programs& programs() {
  thread_local Programs all;
  return all;
}

// Programs hold references of their environment, which take their leave with it.
void release(Program& program) {
  for (napi_ref* each : {&program.arrays, &program.lengths}) {
    if (*each != nullptr) napi_delete_reference(program.environment(), *each);
    *each = nullptr;
  }
}

// Looks at all typed arrays of a program in less time than Node-API takes for three. One whose
// memory was given away has length 0, and never gets other memory.
constexpr char lookingSource[] = R"((arrays, lengths) => {
  for (let i = 0; i < lengths.length; i++) if (arrays[i].length < lengths[i]) return false;
  return true;
})";

// The function of that text; null where it cannot be made.
napi_value lookingFunction(napi_env env) {
  Programs& all = programs();
  napi_value function = nullptr;
  if (all.looking != nullptr && all.lookingIn == env) {
    napi_get_reference_value(env, all.looking, &function);
    return function;
  }
  napi_value source = nullptr;
  if (napi_create_string_utf8(env, lookingSource, NAPI_AUTO_LENGTH, &source) != napi_ok ||
      napi_run_script(env, source, &function) != napi_ok ||
      napi_create_reference(env, function, 1, &all.looking) != napi_ok) {
    return nullptr;
  }
  all.lookingIn = env;
  return function;
}

Program& find(const Call& call, int64_t number) {
  const auto found = programs().kept.find(number);
  if (found == programs().kept.end() || !found->second->isOn(call)) {
    call.rangeError(
        0, "is " + std::to_string(number) + ", which is no program of this thread and this device");
  }
  return *found->second;
}

[[noreturn]] void fail(const char* problem) {
  throw BadArgument{false, problem};
}

}  // namespace

Program* recording() {
  return programs().current.get();
}

Program::Program(const Call& call, Philox place)
    : env(call.environment()),
      device(call.device()),
      machine(device.current == nullptr ? nullptr : device.current()),
      begin(place) {}

Program::~Program() = default;

bool Program::isOn(const Call& call) const {
  return &call.device() == &device && (device.current == nullptr || device.current() == machine);
}

void Program::hold(napi_value array, const Array& decoded, bool live) {
  if (!seen.insert({decoded.data, decoded.length}).second) return;
  napi_value list = nullptr;
  if (napi_get_reference_value(env, arrays, &list) != napi_ok || list == nullptr ||
      napi_set_element(env, list, uint32_t(held.size()), array) != napi_ok) {
    steady = false;  // what nobody holds may go away
    return;
  }
  held.push_back({decoded, live});
}

std::vector<Array> Program::liveArrays() const {
  std::vector<Array> found;
  for (const Held& each : held) {
    if (each.live) found.push_back(each.array);
  }
  return found;
}

bool Program::haveLengths(napi_value list) {
  napi_value known = nullptr;
  if (lengths == nullptr) {
    if (napi_create_array_with_length(env, held.size(), &known) != napi_ok) return false;
    for (size_t i = 0; i < held.size(); i++) {
      napi_value length = nullptr;
      if (napi_create_double(env, double(held[i].array.length), &length) != napi_ok ||
          napi_set_element(env, known, uint32_t(i), length) != napi_ok) {
        return false;
      }
    }
    if (napi_create_reference(env, known, 1, &lengths) != napi_ok) return false;
  }
  napi_get_reference_value(env, lengths, &known);
  napi_value function = lookingFunction(env), self = nullptr, answer = nullptr;
  const napi_value arguments[] = {list, known};
  bool yes = false;
  return function != nullptr && napi_get_undefined(env, &self) == napi_ok &&
         napi_call_function(env, self, function, 2, arguments, &answer) == napi_ok &&
         napi_get_value_bool(env, answer, &yes) == napi_ok && yes;
}

void Program::checkArrays() {
  const uint64_t releases = device.releases == nullptr ? 0 : device.releases();
  const bool sameMemory = device.releases != nullptr && releases == releasesSeen;
  napi_value list = nullptr;
  napi_get_reference_value(env, arrays, &list);
  if (device.releases == nullptr && haveLengths(list)) return;
  for (size_t i = 0; i < held.size(); i++) {
    const auto& [array, live] = held[i];
    if (sameMemory && !live) continue;
    napi_value value = nullptr;
    Array now;
    if (napi_get_element(env, list, uint32_t(i), &value) == napi_ok &&
        (live ? readTypedArray(env, value, now) : device.read(env, value, now)) &&
        now.data == array.data && now.length >= array.length) {
      continue;
    }
    fail(
        "replay: the memory of an array in use was transferred or resized, or given back; give "
        "tensors a copy of memory that will be");
  }
  releasesSeen = releases;
}

void* Program::copy(const void* bytes, size_t size) {
  copies.push_back(std::make_unique<char[]>(size + 1));
  return std::memcpy(copies.back().get(), bytes, size);
}

int64_t Program::run(Philox now) const {
  for (size_t i = 0; i < steps.size(); i++) {
    if (steps[i]->run(begin, now) >= 0) return int64_t(i);
  }
  return -1;
}

void startRecording(const Call& call, uint32_t key0, uint32_t key1, uint32_t counter0,
                    uint32_t counter1) {
  if (recording() != nullptr) fail("startRecording: this thread is recording already");
  napi_env env = call.environment();
  auto made = std::make_unique<Program>(call, philoxAt(key0, key1, counter0, counter1));
  napi_value list = nullptr;
  if (napi_create_array(env, &list) != napi_ok ||
      napi_create_reference(env, list, 1, &made->arrays) != napi_ok) {
    throw std::bad_alloc();
  }
  programs().current = std::move(made);
}

// The number of the program, or -1 when it cannot be run again.
int64_t finishRecording(const Call&) {
  if (recording() == nullptr) fail("finishRecording: this thread is not recording");
  std::unique_ptr<Program> made = std::move(programs().current);
  if (!made->repeatable()) {
    release(*made);
    return -1;
  }
  const int64_t number = ++programs().last;
  programs().kept[number] = std::move(made);
  return number;
}

int64_t replay(const Call& call, int64_t number, uint32_t key0, uint32_t key1, uint32_t counter0,
               uint32_t counter1) {
  Program& program = find(call, number);
  program.checkArrays();
  const Philox now = philoxAt(key0, key1, counter0, counter1);
  const auto replayOn = call.device().replay;
  return replayOn == nullptr ? program.run(now) : replayOn(program, now);
}

void forget(const Call& call, int64_t number) {
  release(find(call, number));
  programs().kept.erase(number);
}

}  // namespace gradloom::api
