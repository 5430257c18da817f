// Copies to the device beside its work: on a stream of their own, so that the next batch crosses
// the bus while the step before it is computed.
#pragma once

#include <cstddef>

namespace gradloom::cuda {

class Machine;

// A ring of slots, each of pinned memory and as much of the device's. A copy goes into pinned
// memory, from there to the slot's place on the device, on the stream of copies, and from there to
// where it belongs, on the machine's stream. So its target is in the order of the machine's work,
// as of any other copy, and stays where a captured step expects it; only the way across the bus is
// taken earlier. The host waits for neither: each stream waits for events of the other.
class Uploads {
 public:
  static constexpr size_t slotBytes = size_t{4} << 20;
  // Shorter ones take the bus less time than the events take the host.
  static constexpr size_t least = size_t{64} << 10;

  explicit Uploads(Machine& owner) : machine(owner) {}

  // Queues a copy of at most a slot. False where the runtime lacks what it takes, or memory.
  bool send(void* to, const void* from, size_t bytes);

 private:
  static constexpr int count = 4;
  struct Slot {
    char* pinned = nullptr;
    void* onDevice = nullptr;
    void* arrived = nullptr;  // event on the stream of copies: pinned memory was read
    void* taken = nullptr;    // event on the machine's: the place on the device was read
  };

  bool open();
  bool make(Slot& slot);

  Machine& machine;
  void* queue = nullptr;  // the stream of copies
  Slot slots[count];
  int now = 0;
  bool tried = false, there = false;
};

}  // namespace gradloom::cuda
