// What the native tests need of a framework: named groups, checks that say where and what, a count.
#pragma once

#include <cstdint>

namespace gradloom::test {

// Starts a group of checks; its name is printed with every failure in it.
void group(const char* name);

// Counts a failure and prints it, at most a few for a group.
[[gnu::format(printf, 4, 5)]] void check(bool ok, const char* file, int line, const char* format,
                                         ...);

// Prints a figure of interest.
[[gnu::format(printf, 1, 2)]] void note(const char* format, ...);

// Failures so far.
int failures();

// The same numbers on every run: splitmix64.
struct Source {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [low, high).
  double uniform(double low, double high) {
    return low + double(next() >> 11) * 0x1p-53 * (high - low);
  }
};

}  // namespace gradloom::test

#define CHECK(condition, ...) \
  ::gradloom::test::check((condition), __FILE__, __LINE__, #condition ": " __VA_ARGS__)
