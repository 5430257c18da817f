// Fibers: stacks of their own that hand control to each other. One runs each thread of a block.
#pragma once

#include <cstddef>

namespace gradloom::emulator {

class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  // Makes the next resume() call `body` from its beginning, on an empty stack. What an earlier body
  // had not finished is forgotten; no destructors run.
  void start(void (*body)());
  // Runs this fiber until it calls leave(). Called from the thread's own stack only.
  void resume();
  // Goes back to where resume() was called. Called on this fiber only. A body must not return.
  void leave();

 private:
  char* memory = nullptr;
  void* here = nullptr;   // stack pointer of this fiber while it does not run
  void* there = nullptr;  // stack pointer of whoever resumed it
};

}  // namespace gradloom::emulator
