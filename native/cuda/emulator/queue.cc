#include "cuda/emulator/queue.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace gradloom::emulator {
namespace {

struct State {
  std::vector<std::unique_ptr<Stream>> streams;
  std::string fault;
  uint64_t waits = 0;  // every other time streams that nobody waits for get ahead
};

State& state() {
  static State instance;
  return instance;
}

void runUntil(Stream& stream, uint64_t position) {
  while (stream.done < position && !isFaulty()) {
    const Operation now = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    reach(now.after);
    if (isFaulty()) return;
    const std::string wrong = now.run ? now.run() : std::string();
    stream.done++;
    if (!wrong.empty()) setFault(now.name + ": " + wrong);
  }
}

// Lets a stream go on until it must wait for another.
void getAhead(Stream& stream) {
  while (!stream.waiting.empty() && isDone(stream.waiting.front().after) && !isFaulty()) {
    runUntil(stream, stream.done + 1);
  }
}

void letOthersAhead(const Stream& waitedFor) {
  if (state().waits++ % 2 == 0) return;
  for (const auto& each : state().streams) {
    if (each.get() != &waitedFor) getAhead(*each);
  }
}

// After a fault nothing more is done, and all that was queued is forgotten.
void forgetAll() {
  for (const auto& each : state().streams) {
    each->waiting.clear();
    each->done = each->queued;
  }
}

}  // namespace

Stream* makeStream(int device) {
  state().streams.push_back(std::make_unique<Stream>());
  Stream* const made = state().streams.back().get();
  made->device = device;
  return made;
}

void add(Stream& stream, Operation operation) {
  if (stream.capturing != nullptr) {
    stream.capturing->operations.push_back(std::move(operation));
    return;
  }
  stream.waiting.push_back(std::move(operation));
  stream.queued++;
}

void drain(Stream& stream) {
  letOthersAhead(stream);
  runUntil(stream, stream.queued);
  if (isFaulty()) forgetAll();
}

void reach(const Event& event) {
  if (event.stream != nullptr) runUntil(*event.stream, event.position);
}

bool isDone(const Event& event) {
  return event.stream == nullptr || event.stream->done >= event.position;
}

void drainDevice(int device) {
  for (const auto& each : state().streams) {
    if (each->device == device) drain(*each);
  }
}

void setFault(const std::string& what) {
  if (state().fault.empty()) state().fault = what;
}

bool isFaulty() {
  return !state().fault.empty();
}

std::string takeFault() {
  return std::exchange(state().fault, {});
}

Stream* capturing() {
  for (const auto& each : state().streams) {
    if (each->capturing != nullptr) return each.get();
  }
  return nullptr;
}

bool spoils(const char* call) {
  Stream* const stream = capturing();
  if (stream == nullptr) return false;
  stream->spoiled = true;
  setFault(std::string("capture violation: ") + call + " while a stream is captured");
  return true;
}

bool copiesToHost() {
  const auto toHost = [](const Operation& each) { return each.toHost; };
  return std::any_of(state().streams.begin(), state().streams.end(), [&](const auto& stream) {
    return std::any_of(stream->waiting.begin(), stream->waiting.end(), toHost);
  });
}

}  // namespace gradloom::emulator
