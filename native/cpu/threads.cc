#include "cpu/threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace gradloom {
namespace {

// Long enough to bridge the JavaScript between two kernels, short enough not to be in anyone's way.
constexpr auto helperSpin = std::chrono::microseconds(100);
constexpr auto callerSpin = std::chrono::microseconds(50);

// A caller that waits longer than `stall`, and longer than its own share of the loop took, waits
// for a helper that was pushed off its core in the middle of a chunk. Once is chance. Where a third
// of the time goes into it, another process wants that core, and will every few milliseconds: loops
// are run alone for so many times the wait that waiting takes no more than that part of the time.
constexpr auto stall = std::chrono::milliseconds(1);
constexpr int restPerStall = 16;
using Clock = std::chrono::steady_clock;

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && defined(__GNUC__)
  asm volatile("yield");
#endif
}

// Spins until done() or until the time is over; tells which.
template <class Done>
bool spinUntil(std::chrono::microseconds limit, Done done) {
  if (done()) return true;
  const auto end = Clock::now() + limit;
  do {
    for (int i = 0; i < 32; i++) {
      pause();
      if (done()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

class Pool {
 public:
  // Runs a loop with helpers; false when they are busy with another one.
  bool run(int64_t count, int64_t grain, LoopBody body, const void* context);
  void stop();

  std::atomic<int> threads{availableCores()};

 private:
  // `state` is the loop on offer: its serial number, how many helpers it wants and how many are in
  // it, two flags. A helper enters by a compare-exchange that needs `open`, so that after the
  // caller has cleared it the number inside only falls.
  static constexpr uint64_t open = 1;
  static constexpr uint64_t callerWaits = 2;
  static constexpr uint64_t helper = 4;
  static constexpr uint64_t helperMask = 0xfffc;
  static constexpr uint64_t wantedHelper = 1 << 16;
  static constexpr uint64_t serial = uint64_t{1} << 32;

  void help(int number, uint64_t seen);
  bool enter(uint64_t& seen);
  void leave();
  void deal(int hands);
  void takeChunks(int number);
  void startHelpers(int wanted);
  void park(uint64_t seen);

  void awaitHelpers(Clock::time_point began);
  bool resting() const { return restUntil != Clock::time_point() && Clock::now() < restUntil; }

  std::mutex busy;  // held by the caller whose loop this is
  // Of the holder of `busy`:
  Clock::time_point restUntil;  // until then helpers are left alone
  Clock::time_point stalled;    // when the last wait for a stalled helper, or its rest, ended

  // Neighbouring chunks of the loop, dealt to one thread: the first is the caller's.
  struct alignas(64) Hand {
    std::atomic<int64_t> next{0};  // first item not yet taken
    int64_t end = 0;
  };

  // The loop, written while no helper is inside; one cache line, since a line takes helpers longer
  // to get from the caller's core than a small chunk takes.
  alignas(64) int64_t count = 0;
  int64_t grain = 1;
  LoopBody body = nullptr;
  const void* context = nullptr;
  int hands = 1;
  std::atomic<bool> spinning{true};

  alignas(64) std::atomic<uint64_t> state{0};
  Hand dealt[maxThreads];
  alignas(64) std::atomic<int> parked{0};
  std::atomic<bool> stopping{false};
  std::mutex sleep;
  std::condition_variable wake, finished;
  std::vector<std::thread> helpers;
};

// The same part of an array goes to the same thread in every loop: it may still be in the caches of
// that thread's core, which other cores reach slowly or not at all. The first chunk is the caller's
// already, who has it without waiting for anything.
void Pool::deal(int among) {
  hands = among;
  const int64_t chunks = (count + grain - 1) / grain;
  for (int i = 0; i < hands; i++) {
    dealt[i].next.store(chunks * i / hands * grain, std::memory_order_relaxed);
    dealt[i].end = std::min(chunks * (i + 1) / hands * grain, count);
  }
  dealt[0].next.store(grain, std::memory_order_relaxed);
}

// All of one's own hand, then what is left of the others'.
void Pool::takeChunks(int number) {
  for (int i = 0; i < hands; i++) {
    Hand& hand = dealt[(number + i) % hands];
    if (hand.next.load(std::memory_order_relaxed) >= hand.end) continue;
    int64_t from;
    while ((from = hand.next.fetch_add(grain, std::memory_order_relaxed)) < hand.end) {
      body(context, from, std::min(from + grain, hand.end));
    }
  }
}

bool Pool::run(int64_t items, int64_t chunk, LoopBody loopBody, const void* loopContext) {
  const std::unique_lock<std::mutex> lock(busy, std::try_to_lock);
  if (!lock || resting()) return false;
  const auto began = Clock::now();
  const int limit = threads.load(std::memory_order_relaxed);
  const int64_t useful = (items - 1) / chunk;  // chunks, less the caller's first
  const int wanted = useful < limit - 1 ? int(useful) : limit - 1;
  if (int(helpers.size()) < wanted) startHelpers(wanted);

  count = items, grain = chunk, body = loopBody, context = loopContext;
  spinning.store(limit <= availableCores(), std::memory_order_relaxed);
  deal(wanted + 1);
  const uint64_t last = state.load(std::memory_order_relaxed);
  // The caller does not wait until others can see this. A helper just falling asleep may miss it,
  // and is woken for the next loop.
  const uint64_t offer = (last / serial + 1) * serial + uint64_t(wanted) * wantedHelper;
  state.store(offer | open, std::memory_order_release);
  if (const int sleepers = parked.load(); sleepers > 0) {
    const std::lock_guard<std::mutex> hold(sleep);
    for (int i = 0; i < wanted && i < sleepers; i++) wake.notify_one();
  }
  body(context, 0, grain);
  takeChunks(0);
  state.fetch_and(~open);
  awaitHelpers(began);
  return true;
}

void Pool::awaitHelpers(Clock::time_point began) {
  const auto alone = [this] { return (state.load(std::memory_order_acquire) & helperMask) == 0; };
  if (alone()) return;
  const auto done = Clock::now();
  if (spinUntil(callerSpin, alone)) return;
  {
    std::unique_lock<std::mutex> hold(sleep);
    state.fetch_or(callerWaits);
    finished.wait(hold, alone);
  }
  const auto now = Clock::now();
  const auto waited = now - done;
  if (waited < stall || waited < done - began) return;
  if (done - stalled < 2 * waited) restUntil = now + restPerStall * waited;
  stalled = std::max(now, restUntil);
}

void Pool::startHelpers(int wanted) {
#if !defined(_WIN32)
  sigset_t all, before;  // signals are for the threads of the program
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
  try {
    while (int(helpers.size()) < wanted) {
      const uint64_t seen = state.load() / serial;
      const int number = int(helpers.size()) + 1;
      helpers.emplace_back([this, number, seen] { help(number, seen); });
    }
  } catch (const std::exception&) {  // no thread to be had: fewer will do
  }
#if !defined(_WIN32)
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
}

void Pool::help(int number, uint64_t seen) {
  while (!stopping) {
#if defined(__GNUC__)
    __builtin_prefetch(&dealt[number], 1);  // while the state is looked at
#endif
    if (enter(seen)) {
      takeChunks(number);
      leave();
    }
    const auto news = [&] { return state.load() / serial != seen || stopping.load(); };
    if (!(spinning ? spinUntil(helperSpin, news) : news())) park(seen);
  }
}

// Joins the loop on offer unless it was seen before, is closed, or has helpers enough.
bool Pool::enter(uint64_t& seen) {
  uint64_t now = state.load(std::memory_order_acquire);
  const auto hasRoom = [&] { return (now & helperMask) / helper < now % serial / wantedHelper; };
  while ((now & open) != 0 && now / serial != seen && hasRoom()) {
#if defined(__GNUC__)
    __builtin_prefetch(&count);  // the loop, on its way meanwhile
#endif
    if (state.compare_exchange_weak(now, now + helper, std::memory_order_acq_rel)) {
      seen = now / serial;
      return true;
    }
  }
  seen = now / serial;
  return false;
}

void Pool::leave() {
  const uint64_t before = state.fetch_sub(helper, std::memory_order_acq_rel);
  const bool last = (before & helperMask) == helper;
  if (last && (before & callerWaits) != 0) {
    const std::lock_guard<std::mutex> hold(sleep);
    finished.notify_one();
  }
}

void Pool::park(uint64_t seen) {
  std::unique_lock<std::mutex> hold(sleep);
  parked++;
  wake.wait(hold, [&] { return state.load() / serial != seen || stopping.load(); });
  parked--;
}

void Pool::stop() {
  const std::lock_guard<std::mutex> lock(busy);
  {
    const std::lock_guard<std::mutex> hold(sleep);
    stopping = true;
    wake.notify_all();
  }
  for (std::thread& each : helpers) each.join();
  helpers.clear();
  stopping = false;
}

// Never destroyed: threads may outlive main. A child made by fork has the memory but not the
// helpers, so it gets a pool of its own.
std::atomic<Pool*> current{nullptr};

Pool& pool() {
  Pool* found = current.load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  static std::mutex creating;
  const std::lock_guard<std::mutex> lock(creating);
  found = current.load(std::memory_order_acquire);
  if (found == nullptr) {
    found = new Pool;
    current.store(found, std::memory_order_release);
#if !defined(_WIN32)
    static const int once = pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });
    (void)once;
#endif
  }
  return *found;
}

}  // namespace

int threadCount() {
  return pool().threads.load(std::memory_order_relaxed);
}

void setThreadCount(int count) {
  pool().threads = count < 1 ? 1 : count > maxThreads ? maxThreads : count;
}

void stopThreads() {
  Pool* found = current.load();
  if (found != nullptr) found->stop();
}

void runLoop(int64_t count, int64_t grain, LoopBody body, const void* context) {
  Pool& shared = pool();
  if (shared.threads.load(std::memory_order_relaxed) > 1 &&
      shared.run(count, grain, body, context)) {
    return;
  }
  for (int64_t from = 0; from < count; from += grain) {
    body(context, from, count - from > grain ? from + grain : count);
  }
}

}  // namespace gradloom
