// Instructions through which lanes of a warp tell each other something. The scheduler runs them
// when all lanes that they name have come (run.cc); here it is certain.
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

enum class Way { up, down, butterfly, index };

// The lane that a lane reads, and whether it is one within its segment.
template <Way way>
bool sourceOf(int lane, uint32_t by, uint32_t clamp, int& source) {
  const int limit = int(clamp & 31), segment = int(clamp >> 8 & 31);
  const int step = int(by & 31);
  const int last = (lane & segment) | (limit & ~segment);
  const int first = lane & segment;
  bool within = false;
  if (way == Way::up) within = (source = lane - step) >= last;
  if (way == Way::down) within = (source = lane + step) <= last;
  if (way == Way::butterfly) within = (source = lane ^ step) <= last;
  if (way == Way::index) within = (source = first | (step & ~segment)) <= last;
  if (!within) source = lane;
  return within;
}

// at: the result, the value, the distance, the clamp, the lanes; vector[0]: the predicate, if any.
template <Way way>
void shuffle(Warp& warp, const Instruction& i) {
  uint32_t* const to = warp.at<uint32_t>(i.at[0]);
  uint32_t values[lanes];
  std::memcpy(values, warp.at<uint32_t>(i.at[1]), sizeof values);
  const uint32_t* const by = warp.at<uint32_t>(i.at[2]);
  const uint32_t* const clamp = warp.at<uint32_t>(i.at[3]);
  uint32_t within = 0;
  eachLane(warp, [&](int lane) {
    int source = lane;
    if (sourceOf<way>(lane, by[lane], clamp[lane], source)) within |= 1u << lane;
    if ((warp.mask >> source & 1) == 0) {
      throw Fault(lane,
                  "a shuffle reads lane " + std::to_string(source) + ", which takes no part in it");
    }
    to[lane] = values[source];
  });
  if (i.parts == 2) {
    uint32_t& predicate = warp.predicate(i.vector[0]);
    predicate = (predicate & ~warp.mask) | within;
  }
}

void ballot(Warp& warp, const Instruction& i) {
  uint32_t* const to = warp.at<uint32_t>(i.at[0]);
  const uint32_t bits = warp.predicate(i.at[1]) & warp.mask;
  eachLane(warp, [=](int lane) { to[lane] = bits; });
}
template <bool all>
void agree(Warp& warp, const Instruction& i) {
  const uint32_t bits = warp.predicate(i.at[1]) & warp.mask;
  uint32_t& to = warp.predicate(i.at[0]);
  const bool result = all ? bits == warp.mask : bits != 0;
  to = (to & ~warp.mask) | (result ? warp.mask : 0);
}

// Lanes wait for each other. What one of them wrote before counts as unordered with what another
// reads: code that relies on it would be called a race.
void meet(Warp&, const Instruction&) {}

void activeLanes(Warp& warp, const Instruction& i) {
  uint32_t* const to = warp.at<uint32_t>(i.at[0]);
  const uint32_t mask = warp.mask;
  eachLane(warp, [=](int lane) { to[lane] = mask; });
}

}  // namespace

void addExchanges(Table& table) {
  table["shfl.sync.up.b32"] = {shuffle<Way::up>, "wwwww", Flow::exchange};
  table["shfl.sync.down.b32"] = {shuffle<Way::down>, "wwwww", Flow::exchange};
  table["shfl.sync.bfly.b32"] = {shuffle<Way::butterfly>, "wwwww", Flow::exchange};
  table["shfl.sync.idx.b32"] = {shuffle<Way::index>, "wwwww", Flow::exchange};
  table["vote.sync.ballot.b32"] = {ballot, "wpw", Flow::exchange};
  table["vote.sync.all.pred"] = {agree<true>, "ppw", Flow::exchange};
  table["vote.sync.any.pred"] = {agree<false>, "ppw", Flow::exchange};
  table["activemask.b32"] = {activeLanes, "w"};
  table["bar.warp.sync"] = {meet, "w", Flow::exchange};
}

}  // namespace gradloom::ptx
