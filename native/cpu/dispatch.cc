// Chooses the instruction set to run with, and describes the machine.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cpu/kernels.h"
#include "cpu/scratch.h"
#include "cpu/threads.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#define GRADLOOM_X86 1
#else
#define GRADLOOM_X86 0
#endif
#if GRADLOOM_X86 && !defined(GRADLOOM_WITHOUT_AVX2)
#define GRADLOOM_AVX2 1
#else
#define GRADLOOM_AVX2 0
#endif
#if GRADLOOM_X86 && !defined(GRADLOOM_WITHOUT_AVX512)
#define GRADLOOM_AVX512 1
#else
#define GRADLOOM_AVX512 0
#endif

namespace gradloom {

// Each defined by kernels.cc as compiled for that instruction set.
#define GRADLOOM_TABLE(isa)     \
  namespace isa {               \
  const Kernels& kernelTable(); \
  }
GRADLOOM_TABLE(baseline)
#if GRADLOOM_AVX2
GRADLOOM_TABLE(avx2)
#endif
#if GRADLOOM_AVX512
GRADLOOM_TABLE(avx512)
#endif
#undef GRADLOOM_TABLE

namespace {

bool always() {
  return true;
}

#if GRADLOOM_AVX2 || GRADLOOM_AVX512
bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#if GRADLOOM_AVX512
bool hasAvx512() {
#if defined(GRADLOOM_EMULATE_AVX512)
  return hasAvx2();
#else
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
}
#endif

struct InstructionSet {
  const Kernels& (*table)();
  bool (*available)();
};

// Best first.
constexpr InstructionSet instructionSets[] = {
#if GRADLOOM_AVX512
    {avx512::kernelTable, hasAvx512},
#endif
#if GRADLOOM_AVX2
    {avx2::kernelTable, hasAvx2},
#endif
    {baseline::kernelTable, always},
};

const Kernels* choose() {
  const Kernels* best = &baseline::kernelTable();
  for (const InstructionSet& set : instructionSets) {
    if (!set.available()) continue;
    best = &set.table();
    break;
  }
  const char* wanted = std::getenv("GRADLOOM_ISA");  // NOLINT(concurrency-mt-unsafe): read once
  if (wanted == nullptr || *wanted == '\0') return best;
  if (const Kernels* named = kernelsNamed(wanted)) return named;
  std::fprintf(stderr,
               "gradloom: GRADLOOM_ISA=%.32s is not an instruction set of this machine and "
               "this build; using %s\n",
               wanted, best->name);
  return best;
}

#if GRADLOOM_X86
// The processor's own name, less the spaces some are padded with.
void readModel(char (&model)[64]) {
  unsigned words[12] = {};
  if (__get_cpuid_max(0x80000000, nullptr) < 0x80000004) return;
  for (unsigned i = 0; i < 3; i++) {
    unsigned* part = words + size_t{4} * i;
    __get_cpuid(0x80000002 + i, part, part + 1, part + 2, part + 3);
  }
  const char* text = reinterpret_cast<const char*>(words);
  size_t length = strnlen(text, sizeof(words));
  while (length > 0 && *text == ' ') text++, length--;
  while (length > 0 && text[length - 1] == ' ') length--;
  std::memcpy(model, text, length);
  model[length] = '\0';
}
#else
void readModel(char (&)[64]) {}
#endif

}  // namespace

const Kernels* kernelsAt(int index) {
  for (const InstructionSet& set : instructionSets) {
    if (set.available() && index-- == 0) return &set.table();
  }
  return nullptr;
}

const Kernels* kernelsNamed(const char* name) {
  for (const InstructionSet& set : instructionSets) {
    if (set.available() && std::strcmp(set.table().name, name) == 0) return &set.table();
  }
  return nullptr;
}

const Kernels& kernels() {
  static const Kernels* chosen = choose();
  return *chosen;
}

Description describe() {
  Description description;
  char model[64] = "unknown processor";
  readModel(model);
  const Kernels& chosen = kernels();
  const int lanes = chosen.vectorBytes > 0 ? chosen.vectorBytes / int(sizeof(float)) : 1;
  std::snprintf(description.text, sizeof(description.text),
                "%s, instruction set %s (%d float32 lanes), %d %s, caches %lld and %lld KiB", model,
                chosen.name, lanes, threadCount(), threadCount() == 1 ? "thread" : "threads",
                static_cast<long long>(caches().l1 >> 10),
                static_cast<long long>(caches().l2 >> 10));
  return description;
}

}  // namespace gradloom
