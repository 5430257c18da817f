// Memory of the host that the device reads and writes by itself: copies through it need not be
// waited for, and are faster.
#pragma once

#include <cstddef>

namespace gradloom::cuda {

class Machine;

// A ring of pinned blocks. What was taken from a block may be used again once the ring comes round
// to it and the work queued until it was left is done.
class Staging {
 public:
  static constexpr size_t blockBytes = size_t{1} << 20;

  explicit Staging(Machine& owner) : machine(owner) {}

  // Memory for a copy that is queued next, at most a block. Null where the runtime has none.
  char* take(size_t bytes);

 private:
  static constexpr int count = 4;
  struct Block {
    char* memory = nullptr;
    void* left = nullptr;  // event: all that used it is done
    bool used = false;     // since the event was made
  };

  bool open();
  void turn();

  Machine& machine;
  Block blocks[count];
  int now = 0;
  size_t offset = 0;
  bool tried = false, there = false;
};

}  // namespace gradloom::cuda
