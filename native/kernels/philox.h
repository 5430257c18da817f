// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3, SC'11).
// The stream, and how elements match its words, are specified in src/backends/random.ts.
#pragma once

#include <cstdint>

#ifndef GRADLOOM_PORTABLE
#define GRADLOOM_PORTABLE inline
#endif

namespace gradloom {

// A stream and the 64-bit counter of its first block.
struct Philox {
  uint32_t key0, key1;
  uint64_t counter;
};

namespace {

constexpr uint32_t philoxMultiplier0 = 0xd2511f53u;
constexpr uint32_t philoxMultiplier1 = 0xcd9e8d57u;
// What the key words grow by each round: the golden ratio and sqrt(3) - 1, times 2^32.
constexpr uint32_t philoxWeyl0 = 0x9e3779b9u;
constexpr uint32_t philoxWeyl1 = 0xbb67ae85u;
constexpr int philoxRounds = 10;

// As JavaScript names a place: 32-bit halves, lower first.
GRADLOOM_PORTABLE Philox philoxAt(uint32_t key0, uint32_t key1, uint32_t counter0,
                                  uint32_t counter1) {
  return {key0, key1, uint64_t{counter1} << 32 | counter0};
}

// One block: the four words of counter (c0, c1, c2, c3), lowest word first.
GRADLOOM_PORTABLE void philox(uint32_t* words, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                              uint32_t key0, uint32_t key1) {
  for (int round = 0; round < philoxRounds; round++) {
    const uint64_t product0 = uint64_t{philoxMultiplier0} * c0;
    const uint64_t product1 = uint64_t{philoxMultiplier1} * c2;
    c0 = uint32_t(product1 >> 32) ^ c1 ^ key0;
    c1 = uint32_t(product1);
    c2 = uint32_t(product0 >> 32) ^ c3 ^ key1;
    c3 = uint32_t(product0);
    key0 += philoxWeyl0;
    key1 += philoxWeyl1;
  }
  words[0] = c0, words[1] = c1, words[2] = c2, words[3] = c3;
}

// Block number `block` of a stream, counted from its first.
GRADLOOM_PORTABLE void philoxBlock(uint32_t* words, Philox stream, uint64_t block) {
  const uint64_t counter = stream.counter + block;
  philox(words, uint32_t(counter), uint32_t(counter >> 32), 0, 0, stream.key0, stream.key1);
}

}  // namespace
}  // namespace gradloom
