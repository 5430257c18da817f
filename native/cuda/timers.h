// How long the device takes from one place of a machine's work to another.
#pragma once

#include <cstdint>
#include <map>

namespace gradloom::cuda {

class Machine;

class Timers {
 public:
  explicit Timers(Machine& owner) : machine(owner) {}

  // Marks a place behind all work queued; gives the timer's number.
  int64_t start();
  // Marks the second place. False where there is no such timer.
  bool stop(int64_t number);
  // Nanoseconds between the places, and the timer is no more; waits for the second. -1 where there
  // is no such timer, or it was not stopped.
  int64_t take(int64_t number);

 private:
  struct Timer {
    void *begin = nullptr, *end = nullptr;  // events
  };

  void* mark();

  Machine& machine;
  std::map<int64_t, Timer> running;
  int64_t last = 0;
};

}  // namespace gradloom::cuda
