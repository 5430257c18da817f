// The scheduler. The lanes of a warp go together as long as they go the same way; where they part,
// those that are behind in the text go first, until they meet the others. A warp runs until all of
// its lanes wait at the barrier.
#include "cuda/ptx/run.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace gradloom::ptx {
namespace {

constexpr uint32_t nowhere = std::numeric_limits<uint32_t>::max();

uint32_t threadsOf(const Extent& extent) {
  return extent.x * extent.y * extent.z;
}

class Grid {
 public:
  explicit Grid(const Launch& what) : launch(what), program(*what.program) {
    threads = threadsOf(launch.block);
    const uint32_t warps = (threads + lanes - 1) / lanes;
    block.parameters = launch.parameters.data();
    block.parameterBytes = launch.parameters.size();
    block.localBytes = (program.localBytes + 15) / 16 * 16;
    block.local.resize(block.localBytes * warps * lanes);
    block.shared.resize(program.sharedBytes + launch.dynamicShared);
    block.touchShift = program.narrowShared ? 0 : 2;
    block.touches.resize((block.shared.size() >> block.touchShift) + 1);
    static uint64_t launches = 0;
    block.memoryEpoch = ++launches;
    block.phase = phases;
    block.launchPhase = phases + 1;
    const uint64_t bytes = program.registerBytes;
    registers.resize(bytes * warps + 64);
    char* first = registers.data();
    while (reinterpret_cast<uintptr_t>(first) % 64 != 0) first++;
    block.warps.resize(warps);
    for (uint32_t w = 0; w < warps; w++) {
      Warp& warp = block.warps[w];
      warp.registers = first + bytes * w;
      warp.block = &block;
      warp.number = int(w);
      prepare(warp);
    }
  }

  ~Grid() { phases = block.phase; }

  std::string run() {
    const Extent& grid = launch.grid;
    for (uint32_t z = 0; z < grid.z; z++) {
      for (uint32_t y = 0; y < grid.y; y++) {
        for (uint32_t x = 0; x < grid.x; x++) {
          try {
            runBlock({x, y, z});
          } catch (const Fault& fault) {
            return sentence(fault, {x, y, z});
          }
        }
      }
    }
    return "";
  }

 private:
  void fill(Warp& warp, uint32_t reg, uint32_t value) {
    std::fill_n(warp.at<uint32_t>(reg * specialBytes), lanes, value);
  }

  // What stays through all blocks.
  void prepare(Warp& warp) {
    for (const Constant& each : program.constants) {
      for (int lane = 0; lane < lanes; lane++) {
        std::memcpy(warp.registers + each.reg + each.bytes * size_t(lane), &each.bits, each.bytes);
      }
    }
    const Extent& size = launch.block;
    for (uint32_t lane = 0; lane < lanes; lane++) {
      const uint32_t thread = uint32_t(warp.number) * lanes + lane;
      warp.at<uint32_t>(tidX * specialBytes)[lane] = thread % size.x;
      warp.at<uint32_t>(tidY * specialBytes)[lane] = thread / size.x % size.y;
      warp.at<uint32_t>(tidZ * specialBytes)[lane] = thread / size.x / size.y;
      warp.at<uint32_t>(laneId * specialBytes)[lane] = lane;
    }
    fill(warp, warpId, uint32_t(warp.number));
    const uint32_t values[] = {size.x, size.y, size.z};
    const uint32_t blocks[] = {launch.grid.x, launch.grid.y, launch.grid.z};
    for (uint32_t axis = 0; axis < 3; axis++) {
      fill(warp, ntidX + axis, values[axis]);
      fill(warp, nctaidX + axis, blocks[axis]);
    }
  }

  void runBlock(const Extent& index) {
    block.firstPhase = ++block.phase;
    for (Warp& warp : block.warps) {
      fill(warp, ctaidX, index.x);
      fill(warp, ctaidY, index.y);
      fill(warp, ctaidZ, index.z);
      const uint32_t left = threads - uint32_t(warp.number) * lanes;
      warp.groups = {{left >= lanes ? everyLane : (1u << left) - 1, 0, false}};
    }
    for (bool going = true; going;) {
      // The other way round in every other phase: what depends on the order shows.
      const size_t count = block.warps.size();
      for (size_t w = 0; w < count; w++) {
        current = &block.warps[block.phase % 2 != 0 ? count - 1 - w : w];
        while (Group* group = next(*current)) runGroup(*current, *group);
      }
      going = passBarrier();
    }
  }

  // Of the lanes that can go on, those that are behind; null when all wait or have ended.
  Group* next(Warp& warp) {
    auto& groups = warp.groups;
    for (size_t a = 0; a < groups.size(); a++) {
      for (size_t b = groups.size(); --b > a;) {
        if (groups[a].place != groups[b].place) continue;
        groups[a].mask |= groups[b].mask;
        // Those that came may be whom the others wait for.
        groups[a].waits = groups[a].waits && groups[b].waits;
        groups.erase(groups.begin() + std::ptrdiff_t(b));
      }
    }
    Group* found = nullptr;
    for (Group& each : groups) {
      if (!each.waits && (found == nullptr || each.place < found->place)) found = &each;
    }
    return found;
  }

  static uint32_t limitOf(const Warp& warp, const Group& group) {
    uint32_t limit = nowhere;
    for (const Group& each : warp.groups) {
      if (each.place > group.place) limit = std::min(limit, each.place);
    }
    return limit;
  }

  void runGroup(Warp& warp, Group& group) {
    const Instruction* const code = program.code.data();
    const uint32_t limit = limitOf(warp, group);
    uint32_t place = group.place;
    const uint32_t active = group.mask;
    while (place < limit) {
      const Instruction& i = code[place];
      warp.mask = active;
      if (i.guarded) warp.mask &= warp.predicate(i.guard) ^ (i.negated ? everyLane : 0);
      line = i.line;
      switch (i.flow) {
        case Flow::next:
          if (warp.mask != 0) i.run(warp, i);
          place++;
          break;
        case Flow::branch:
          if (warp.mask == active) {
            place = uint32_t(i.offset);
          } else if (warp.mask == 0) {
            place++;
          } else {
            group = {active & ~warp.mask, place + 1, false};
            warp.groups.push_back({warp.mask, uint32_t(i.offset), false});
            return;
          }
          break;
        case Flow::exchange:
          if (warp.mask != 0 && !exchange(warp, i)) {
            group.place = place;
            group.waits = true;
            return;
          }
          place++;
          break;
        case Flow::barrier:
          if (warp.mask != active) throw Fault(-1, "a barrier that some lanes of a warp leave out");
          group.place = place;
          group.waits = true;
          return;
        case Flow::exit:
          leave(warp, group, place);
          return;
      }
    }
    group.place = place;
  }

  // False when lanes that the exchange names have not come yet.
  static bool exchange(Warp& warp, const Instruction& i) {
    const uint32_t* const named = warp.at<uint32_t>(i.vector[3]);
    const int first = __builtin_ctz(warp.mask);
    for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      if (named[lane] != named[first])
        throw Fault(lane, "lanes of one exchange name different lanes");
      if ((named[lane] >> lane & 1) == 0)
        throw Fault(lane, "an exchange that does not name its own lane");
    }
    if ((warp.mask & named[first]) != named[first]) return false;
    i.run(warp, i);
    return true;
  }

  static void leave(Warp& warp, Group& group, uint32_t place) {
    const uint32_t staying = group.mask & ~warp.mask;
    if (staying != 0) {
      group.mask = staying;
      group.place = place + 1;
      return;
    }
    warp.groups.erase(warp.groups.begin() + (&group - warp.groups.data()));
  }

  // All threads wait or have ended. False when the block has.
  bool passBarrier() {
    const Group* meeting = nullptr;
    size_t waiting = 0;
    for (Warp& warp : block.warps) {
      current = &warp;
      for (const Group& each : warp.groups) {
        line = program.code[each.place].line;
        warp.mask = each.mask;
        if (program.code[each.place].flow == Flow::exchange) {
          throw Fault(-1, "an exchange whose lanes do not all come");
        }
        if (meeting != nullptr && meeting->place != each.place) {
          throw Fault(-1, "threads wait at different barriers, here and at line " +
                              std::to_string(program.code[meeting->place].line));
        }
        meeting = &each;
        waiting += size_t(__builtin_popcount(each.mask));
      }
    }
    if (meeting == nullptr) return false;
    if (waiting != threads) throw Fault(-1, "a barrier that not all threads of the block reach");
    for (Warp& warp : block.warps) {
      for (Group& each : warp.groups) {
        each.place++;
        each.waits = false;
      }
    }
    block.phase++;
    return true;
  }

  std::string sentence(const Fault& fault, const Extent& index) const {
    int status = 0;
    char* const clear = abi::__cxa_demangle(program.name.c_str(), nullptr, nullptr, &status);
    std::string text = std::string(clear != nullptr ? clear : program.name.c_str()) +
                       ", PTX line " + std::to_string(line) + ", block (" +
                       std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
                       std::to_string(index.z) + "), ";
    std::free(clear);
    const int lane = fault.lane >= 0 ? fault.lane : __builtin_ctz(current->mask | 1u << 31);
    return text + "thread " + std::to_string(current->number * lanes + lane) + ": " + fault.what();
  }

  static uint32_t phases;  // of all launches before

  const Launch& launch;
  const Program& program;
  uint32_t threads = 0;
  Block block;
  std::vector<char> registers;
  Warp* current = nullptr;
  int line = 0;
};

uint32_t Grid::phases = 0;

}  // namespace

std::string run(const Launch& launch) {
  return Grid(launch).run();
}

}  // namespace gradloom::ptx
