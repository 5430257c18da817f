#include "cuda/emulator/grid.h"

#include <cstring>
#include <numeric>

#include "cuda/emulator/fiber.h"
#include "cuda/emulator/memory.h"

namespace gradloom::emulator {

Position position;

namespace {

enum class State : uint8_t { ready, atBarrier, inExchange, done };

struct Thread {
  Fiber fiber;
  Dim3 index;
  State state = State::done;
  int line = 0;        // where it waits
  uint32_t round = 0;  // exchanges it took part in
};

struct Warp {
  uint64_t values[2][warpSize];  // of an exchange and of the one before
  unsigned arrived = 0;
  int line = 0;
};

// A generator of its own, so that every run takes the same orders.
class Order {
 public:
  // A way through 0 … n - 1: from start on, by a step that has no divisor in common with n.
  void shuffle(unsigned n) {
    count = n;
    start = next() % n;
    do step = next() % n | 1;
    while (std::gcd(step, n) != 1);
  }
  unsigned at(unsigned i) const { return unsigned((start + uint64_t{i} * step) % count); }

 private:
  unsigned next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return unsigned(state >> 33);
  }
  uint64_t state = 1;
  unsigned count = 1, start = 0, step = 1;
};

struct Scheduler {
  Thread threads[mostThreads];
  Warp warps[mostThreads / warpSize];
  unsigned count = 0, live = 0;
  Thread* running = nullptr;
  const std::function<void()>* kernel = nullptr;
  Accessor accessor{};
  std::string wrong;
  std::string doubtful;  // see undefinedShared
  Order order;
  uint32_t launches = 0;
};

Scheduler scheduler;

void body() {
  Scheduler& all = scheduler;
  (*all.kernel)();
  all.running->state = State::done;
  all.live--;
  all.running->fiber.leave();
}

void run(unsigned i) {
  Scheduler& all = scheduler;
  Thread& thread = all.threads[i];
  position.thread = thread.index;
  all.accessor.thread = i;
  all.running = &thread;
  thread.fiber.resume();
  all.running = nullptr;
}

void wait(State state, int line) {
  Thread& thread = *scheduler.running;
  thread.state = state;
  thread.line = line;
  thread.fiber.leave();
}

std::string at(int line) {
  return " (line " + std::to_string(line) + ")";
}

// Nobody can go on: all must be at one barrier, which they pass then.
void passBarrier() {
  Scheduler& all = scheduler;
  int line = -1;
  for (unsigned i = 0; i < all.count; i++) {
    const Thread& thread = all.threads[i];
    if (thread.state == State::inExchange) {
      all.wrong = "warp divergence: some lanes never come to the exchange" + at(thread.line);
    } else if (thread.state == State::done) {
      all.wrong = "barrier divergence: some threads of the block have returned before it";
    } else if (line >= 0 && thread.line != line) {
      all.wrong = "barrier divergence: threads wait at different ones" + at(line) + at(thread.line);
    }
    if (!all.wrong.empty()) return;
    line = thread.line;
  }
  if (!all.doubtful.empty()) {
    all.wrong = all.doubtful;
    return;
  }
  all.accessor.phase++;
  for (unsigned i = 0; i < all.count; i++) all.threads[i].state = State::ready;
}

void runBlock() {
  Scheduler& all = scheduler;
  beginSharedMemory();
  all.accessor.phase = 0;
  all.live = all.count;
  for (Warp& warp : all.warps) warp.arrived = 0;
  for (unsigned i = 0; i < all.count; i++) {
    all.threads[i].state = State::ready;
    all.threads[i].round = 0;
    all.threads[i].fiber.start(body);
  }
  while (all.live > 0) {
    all.order.shuffle(all.count);
    bool ran = false;
    for (unsigned k = 0; k < all.count; k++) {
      const unsigned i = all.order.at(k);
      if (all.threads[i].state != State::ready) continue;
      ran = true;
      run(i);
      if (!all.wrong.empty()) return;
    }
    if (!ran) passBarrier();
    if (!all.wrong.empty()) return;
  }
  all.wrong = all.doubtful;
}

std::string place() {
  const auto text = [](const Dim3& at) {
    return "(" + std::to_string(at.x) + ", " + std::to_string(at.y) + ", " + std::to_string(at.z) +
           ")";
  };
  return ", block " + text(position.block) + ", thread " + text(position.thread);
}

}  // namespace

std::string runGrid(int device, Dim3 grid, Dim3 block, const std::function<void()>& kernel) {
  Scheduler& all = scheduler;
  all.count = block.x * block.y * block.z;
  all.kernel = &kernel;
  all.wrong.clear();
  all.doubtful.clear();
  all.accessor.launch = ++all.launches;
  all.accessor.device = device;
  for (unsigned i = 0; i < all.count; i++) {
    all.threads[i].index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
  }
  position.blockSize = block;
  position.gridSize = grid;
  const unsigned blocks = grid.x * grid.y * grid.z;
  Order order = all.order;
  order.shuffle(blocks);
  for (unsigned i = 0; i < blocks && all.wrong.empty(); i++) {
    const unsigned b = order.at(i);
    position.block = {b % grid.x, b / grid.x % grid.y, b / (grid.x * grid.y)};
    all.accessor.block = b;
    runBlock();
  }
  return all.wrong;
}

bool inKernel() {
  return scheduler.running != nullptr;
}

namespace {

[[noreturn]] void stop() {
  for (;;) scheduler.running->fiber.leave();  // nobody resumes it
}

}  // namespace

void fault(const std::string& what) {
  scheduler.wrong = what + place();
  stop();
}

void barrier(int line) {
  wait(State::atBarrier, line);
}

const uint64_t* exchange(uint64_t value, int line) {
  Scheduler& all = scheduler;
  Thread& self = *all.running;
  const unsigned i = unsigned(&self - all.threads), lane = i % warpSize, first = i - lane;
  Warp& warp = all.warps[i / warpSize];
  if (warp.arrived == 0) warp.line = line;
  if (warp.line != line) {
    fault("warp divergence: lanes at different exchanges" + at(warp.line) + at(line));
  }
  uint64_t* values = warp.values[self.round++ % 2];
  values[lane] = value;
  if (++warp.arrived < warpSize) {
    wait(State::inExchange, line);
  } else {
    warp.arrived = 0;
    for (unsigned k = first; k < first + warpSize; k++) all.threads[k].state = State::ready;
  }
  return values;
}

void access(const void* address, size_t size, bool write, bool atomic) {
  const uintptr_t number = reinterpret_cast<uintptr_t>(address);
  if (!isDeviceMemory(number)) return;
  Scheduler& all = scheduler;
  const char* wrong = checkAccess(number, size, write, atomic, all.accessor);
  if (wrong == nullptr) return;
  if (wrong == undefinedShared) {
    if (all.doubtful.empty()) all.doubtful = wrong + place();
    return;
  }
  const bool follows = !all.doubtful.empty() && std::strncmp(wrong, "race", 4) != 0;
  if (!follows) fault(wrong);
  all.wrong = all.doubtful;
  stop();
}

unsigned long long atomicMinimum(unsigned long long* address, unsigned long long value) {
  access(address, sizeof(value), true, true);
  const unsigned long long before = *address;
  if (value < before) *address = value;
  return before;
}

}  // namespace gradloom::emulator
