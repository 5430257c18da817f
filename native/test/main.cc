// Runs all native tests, the vector tests and the kernel tests once for every instruction set that
// this machine and build have. Exit status 1 when anything failed.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "cpu/kernels.h"
#include "test/test.h"

namespace gradloom {

// One of each per instruction set, in vectors_test.cc and math_test.cc.
#define GRADLOOM_TESTS_OF(isa) \
  namespace isa {              \
  void testVectors();          \
  void testMath();             \
  }
GRADLOOM_TESTS_OF(baseline)
#if defined(__x86_64__) && defined(__GNUC__)
#ifndef GRADLOOM_WITHOUT_AVX2
GRADLOOM_TESTS_OF(avx2)
#endif
#ifndef GRADLOOM_WITHOUT_AVX512
GRADLOOM_TESTS_OF(avx512)
#endif
#endif

namespace test {

void testThreads();                   // threads_test.cc
void testRandom();                    // random_test.cc
void testKernels(const Kernels&);     // kernels_test.cc
void testReductions(const Kernels&);  // reductions_test.cc
void testMatmul(const Kernels&);      // matmul_test.cc
void testLayers(const Kernels&);      // layers_test.cc
void testMovement();                  // movement_test.cc

namespace {

constexpr int mostPrinted = 5;
const char* current = "";
int inGroup = 0, total = 0, checks = 0;
std::mutex counting;  // the tests of the thread pool check from several threads

void testInstructionSet(const char* name, void (*vectors)(), void (*math)()) {
  const Kernels* table = kernelsNamed(name);
  if (table == nullptr) {
    std::printf("%s: SKIPPED, not available here\n", name);
    return;
  }
  std::printf("%s, vectors of %d bytes\n", name, table->vectorBytes);
  vectors();
  math();
  testKernels(*table);
  testReductions(*table);
  testMatmul(*table);
  testLayers(*table);
}

}  // namespace

void group(const char* name) {
  current = name;
  inGroup = 0;
}

void check(bool ok, const char* file, int line, const char* format, ...) {
  const std::lock_guard<std::mutex> lock(counting);
  checks++;
  if (ok) return;
  total++;
  if (++inGroup > mostPrinted) return;
  std::printf("FAILED %s (%s:%d) ", current, std::strrchr(file, '/') + 1, line);
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
}

void note(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::printf("  ");
  std::vprintf(format, arguments);
  std::printf("\n");
  va_end(arguments);
}

int failures() {
  return total;
}

}  // namespace test
}  // namespace gradloom

int main() {
  gradloom::test::testThreads();
  gradloom::test::testRandom();
  gradloom::test::testMovement();
#if defined(__x86_64__) && defined(__GNUC__)
#ifndef GRADLOOM_WITHOUT_AVX512
  gradloom::test::testInstructionSet("avx512", gradloom::avx512::testVectors,
                                     gradloom::avx512::testMath);
#endif
#ifndef GRADLOOM_WITHOUT_AVX2
  gradloom::test::testInstructionSet("avx2", gradloom::avx2::testVectors, gradloom::avx2::testMath);
#endif
#endif
  gradloom::test::testInstructionSet("baseline", gradloom::baseline::testVectors,
                                     gradloom::baseline::testMath);
  std::printf("%d checks, %d failures\n", gradloom::test::checks, gradloom::test::failures());
  return gradloom::test::failures() == 0 ? 0 : 1;
}
