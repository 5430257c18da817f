// The instructions: opcode, what runs it, and the widths of its operands.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "cuda/ptx/warp.h"

namespace gradloom::ptx {

// `operands` has a letter each, the result first: p predicate, h 16 bits, w 32, d 64.
struct Row {
  Action run;
  const char* operands;
  Flow flow = Flow::next;
};
using Table = std::unordered_map<std::string, Row>;

void addIntegers(Table& table);
void addBits(Table& table);
void addFloats(Table& table);
void addRounded(Table& table);
void addConversions(Table& table);
void addComparisons(Table& table);
void addExchanges(Table& table);

// Joins and parts registers, the parts of so many bytes; null if there are none of that size.
Action packAction(uint32_t bytes);
Action unpackAction(uint32_t bytes);

template <class T>
constexpr char letterOf = sizeof(T) == 8   ? 'd'
                          : sizeof(T) == 4 ? 'w'
                                           : 'h';
template <class... T>
constexpr char lettersOf[] = {letterOf<T>..., '\0'};

// Calls `body(lane)` for the lanes that take the instruction.
template <class Body>
inline void eachLane(const Warp& warp, Body&& body) {
  if (warp.mask == everyLane) {
#pragma GCC ivdep
    for (int lane = 0; lane < lanes; lane++) body(lane);
  } else {
    for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) body(__builtin_ctz(rest));
  }
}

// An instruction that computes F::of(operands...) in each lane.
template <class F, class D, class A>
void unary(Warp& warp, const Instruction& i) {
  D* const to = warp.at<D>(i.at[0]);
  const A* const a = warp.at<A>(i.at[1]);
  eachLane(warp, [=](int lane) { to[lane] = D(F::of(a[lane])); });
}
template <class F, class D, class A, class B>
void binary(Warp& warp, const Instruction& i) {
  D* const to = warp.at<D>(i.at[0]);
  const A* const a = warp.at<A>(i.at[1]);
  const B* const b = warp.at<B>(i.at[2]);
  eachLane(warp, [=](int lane) { to[lane] = D(F::of(a[lane], b[lane])); });
}
template <class F, class D, class A, class B, class C>
void ternary(Warp& warp, const Instruction& i) {
  D* const to = warp.at<D>(i.at[0]);
  const A* const a = warp.at<A>(i.at[1]);
  const B* const b = warp.at<B>(i.at[2]);
  const C* const c = warp.at<C>(i.at[3]);
  eachLane(warp, [=](int lane) { to[lane] = D(F::of(a[lane], b[lane], c[lane])); });
}

template <class F, class D, class A>
void add1(Table& table, const std::string& name) {
  table[name] = {unary<F, D, A>, lettersOf<D, A>};
}
template <class F, class D, class A, class B>
void add2(Table& table, const std::string& name) {
  table[name] = {binary<F, D, A, B>, lettersOf<D, A, B>};
}
template <class F, class D, class A, class B, class C>
void add3(Table& table, const std::string& name) {
  table[name] = {ternary<F, D, A, B, C>, lettersOf<D, A, B, C>};
}

}  // namespace gradloom::ptx
