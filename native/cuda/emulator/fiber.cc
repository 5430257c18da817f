#include "cuda/emulator/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace gradloom::emulator {
namespace {

constexpr size_t stackBytes = 128 << 10;
constexpr size_t pageBytes = 4096;  // below the stack nothing may be touched

}  // namespace

// Saves what a callee must keep, its stack pointer to *save, and goes on where `load` was saved.
extern "C" void gradloom_switch_stack(void** save, void* load);

#if defined(__x86_64__)
constexpr int savedWords = 6;
asm(R"(
.text
.hidden gradloom_switch_stack
.globl gradloom_switch_stack
.type gradloom_switch_stack, @function
gradloom_switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
.size gradloom_switch_stack, .-gradloom_switch_stack
)");
#else
#error "the emulated device needs gradloom_switch_stack for this processor"
#endif

Fiber::~Fiber() {
  if (memory != nullptr) munmap(memory, stackBytes + pageBytes);
}

void Fiber::start(void (*body)()) {
  if (memory == nullptr) {
    void* fresh = mmap(nullptr, stackBytes + pageBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fresh == MAP_FAILED) throw std::bad_alloc();
    memory = static_cast<char*>(fresh);
    mprotect(memory, pageBytes, PROT_NONE);
  }
  // As a call of the body would leave it: the body's address on top of an aligned stack, below it
  // the registers that the switch takes from there.
  void** top = reinterpret_cast<void**>(memory + pageBytes + stackBytes) - 2;
  *top = reinterpret_cast<void*>(body);
  for (int i = 0; i < savedWords; i++) *--top = nullptr;
  here = top;
}

void Fiber::resume() {
  gradloom_switch_stack(&there, here);
}

void Fiber::leave() {
  gradloom_switch_stack(&here, there);
}

}  // namespace gradloom::emulator
