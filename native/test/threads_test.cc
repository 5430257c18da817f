// The thread pool: coverage, order of chunks, several callers at once, nesting, stopping, forking.
// Run under the thread sanitizer too.
#include "cpu/threads.h"

#include <atomic>
#include <thread>
#include <vector>

#include "test/test.h"

#if defined(__linux__)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace gradloom::test {

void testThreads();

namespace {

// Every item is visited once, and chunks lie where count and grain say.
void coverage(int64_t count, int64_t grain) {
  std::vector<int> visits(static_cast<size_t>(count));
  std::atomic<int> misplaced{0};
  parallelFor(count, grain, [&](int64_t from, int64_t to) {
    const bool whole = to == count || to - from == grain;
    if ((count > grain && from % grain != 0) || !whole) misplaced++;
    for (int64_t i = from; i < to; i++) visits[static_cast<size_t>(i)]++;
  });
  int wrong = 0;
  for (const int each : visits) wrong += each != 1;
  CHECK(wrong == 0, "%d of %lld items not visited once", wrong, (long long)count);
  CHECK(misplaced == 0, "%d chunks out of place", misplaced.load());
}

void manyCallers() {
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int t = 0; t < 4; t++) {
    callers.emplace_back([] {
      for (int round = 0; round < 200; round++) coverage(1000, 30);
    });
  }
  for (std::thread& each : callers) each.join();
}

void nesting() {
  std::atomic<int64_t> total{0};
  parallelFor(20, 1, [&](int64_t, int64_t) {
    parallelFor(100, 7, [&](int64_t from, int64_t to) { total += to - from; });
  });
  CHECK(total == 2000, "nested loops did %lld items", (long long)total.load());
}

void forking() {
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int64_t> total{0};
    parallelFor(1000, 10, [&](int64_t from, int64_t to) { total += to - from; });
    _exit(total == 1000 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0, "a forked child ended with status %d", status);
#endif
}

}  // namespace

void testThreads() {
  group("threads");
  CHECK(availableCores() >= 1 && availableCores() <= maxThreads, "%d cores", availableCores());
  CHECK(threadCount() == availableCores(), "%d threads at first", threadCount());
  setThreadCount(0);
  CHECK(threadCount() == 1, "0 threads became %d", threadCount());
  setThreadCount(10000);
  CHECK(threadCount() == maxThreads, "10000 threads became %d", threadCount());
  for (const int threads : {1, 2, 5}) {
    setThreadCount(threads);
    for (const int64_t count : {0, 1, 9, 10, 11, 1000}) coverage(count, 10);
    manyCallers();
    nesting();
  }
  for (int round = 0; round < 20; round++) {
    stopThreads();
    coverage(500, 5);
  }
  forking();
  stopThreads();
  setThreadCount(2);
}

}  // namespace gradloom::test
