// One GPU: its memory, its stream of work, and the errors of both. Includes nothing of CUDA's.
// Everything is called by one thread at a time (see Turn); kernels run on the current machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>

#include "cuda/allocator.h"
#include "cuda/counters.h"
#include "cuda/staging.h"
#include "cuda/timers.h"
#include "cuda/uploads.h"

namespace gradloom {
struct Philox;
}

namespace gradloom::cuda {

class Repeated;

// What went wrong on the device, or for want of its memory.
struct DeviceFailure {
  bool memory;
  std::string message;
};

class Machine {
 public:
  // GPUs of this computer; 0 and a sentence on the cause where there are none.
  static int count(std::string* reason);
  // The machine of a number below count(); opened on first use, kept until the process ends.
  static Machine& at(int number);
  static Machine& current();

  // Memory from the cache or, failing that, from the device. Contents are undefined.
  void* allocate(size_t bytes);
  void free(void* memory, size_t bytes);
  // Gives cached memory back to the device.
  void trim();
  // Most bytes that the machine takes of its device, cached ones included.
  void setMemoryLimit(size_t bytes) { allocator.setLimit(bytes); }
  const Statistics& statistics() const { return allocator.statistics(); }
  const Counters& counters() const { return done; }

  // Where kernels note the index or label that they refuse, and the host doesn't wait: one word of
  // the device's memory, see refusals.h. Null: functions that return a position wait for it.
  unsigned long long* refusals = nullptr;

  // While repeated work runs: where on the device lie numbers of the host that change between its
  // runs, and where its random numbers begin. Null otherwise, and what is given counts.
  const double* live(const double* numbers) const;
  const Philox* randomBegin() const;

  void fillZero(void* memory, size_t bytes);
  // Large copies overlap with what was queued before (see uploads.h); none is waited for.
  void write(void* to, const void* from, size_t bytes);
  // Waits for all work.
  void read(void* to, const void* from, size_t bytes);
  void copy(void* to, const void* from, size_t bytes);
  void synchronize();
  // Whether all work is done; doesn't wait.
  bool idle();

  // Counts a kernel that was launched, and keeps what it is for the message of an error that shows
  // later.
  void launched(const Label& kernel);
  void graphLaunched() { done.graphLaunches++; }
  void waited() { done.waits++; }
  Timers timers{*this};
  void endReserve(Allocator::Reserve& reserve) { allocator.endReserve(reserve); }
  // Throws DeviceFailure unless `error`, a cudaError_t, is none.
  void check(int error, const char* what);

  std::string describe() const;
  int number() const { return index; }
  void* stream() const { return queue; }

  // While it lives, work is repeated work, with scratch memory of its own.
  class Repeating {
   public:
    Repeating(Machine& on, const Repeated& work, Allocator::Reserve& reserve) : machine(on) {
      machine.repeated = &work;
      machine.allocator.use(&reserve);
    }
    ~Repeating() {
      machine.repeated = nullptr;
      machine.allocator.use(nullptr);
    }
    Repeating(const Repeating&) = delete;
    Repeating& operator=(const Repeating&) = delete;

   private:
    Machine& machine;
  };

  // While it lives, what is asked for is captured and not done.
  class Uncounted {
   public:
    explicit Uncounted(Machine& on) : machine(on), before(on.done) {}
    ~Uncounted() {
      machine.done = before;
      machine.done.captures++;
    }
    Uncounted(const Uncounted&) = delete;
    Uncounted& operator=(const Uncounted&) = delete;

   private:
    Machine& machine;
    Counters before;
  };

 private:
  friend class Turn;
  explicit Machine(int number);

  int index;
  void* queue = nullptr;
  void writeInOrder(char* to, const char* from, size_t bytes);

  Allocator allocator;
  Counters done;
  Label last;  // the kernel launched last
  const Repeated* repeated = nullptr;
  Staging staging{*this};
  Uploads uploads{*this};
};

// While it lives, this thread alone uses devices, and `machine` is the current one.
class Turn {
 public:
  explicit Turn(Machine& machine);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  // The call of the host ends: nothing may be left that needs its memory. Throws DeviceFailure.
  void finish();

 private:
  std::unique_lock<std::recursive_mutex> lock;
  Machine* before;
};

// Memory that a kernel's host side needs until it returns. Work is done in order, so the next user
// of the memory comes after.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count)
      : bytes(size_t(count) * sizeof(T)),
        memory(static_cast<T*>(Machine::current().allocate(bytes))) {}
  ~Scratch() { Machine::current().free(memory, bytes); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() const { return memory; }

 private:
  size_t bytes;
  T* memory;
};

}  // namespace gradloom::cuda
