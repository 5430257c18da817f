// How many CPUs this process may use: the scheduler's affinity mask and the quota of its control
// group, which is what limits a container.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "cpu/threads.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace gradloom {
namespace {

int affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return int(std::thread::hardware_concurrency());
}

#if defined(__linux__)

constexpr double unlimited = 1e9;

double ratio(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : unlimited;
}

// Version 2: "max 100000" or "150000 100000" in one file.
double quotaV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? ratio(quota, period) : unlimited;
}

double quotaV1(const std::string& folder) {
  std::ifstream quotaFile(folder + "/cpu.cfs_quota_us"), periodFile(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quotaFile >> quota && periodFile >> period ? ratio(quota, period) : unlimited;
}

// The smallest quota of a group and its ancestors. Inside a container the group's own path may not
// be mounted; the root then stands for it.
template <class Read>
double smallestQuota(const std::string& mount, std::string path, Read read) {
  double least = read(mount);
  while (path.size() > 1) {
    const double here = read(mount + path);
    if (here < least) least = here;
    path.erase(path.rfind('/'));
  }
  return least;
}

double quota() {
  double least = unlimited;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    double here = unlimited;
    if (controllers == ",,") {
      here = smallestQuota("/sys/fs/cgroup", path, quotaV2);
    } else if (controllers.find(",cpu,") != std::string::npos) {
      here = smallestQuota("/sys/fs/cgroup/cpu", path, quotaV1);
    }
    if (here < least) least = here;
  }
  return least;
}

#endif

int measure() {
  int cores = affinity();
#if defined(__linux__)
  const double allowed = std::round(quota());
  if (allowed < cores) cores = int(allowed);
#endif
  return cores < 1 ? 1 : cores > maxThreads ? maxThreads : cores;
}

}  // namespace

int availableCores() {
  static const int cores = measure();
  return cores;
}

}  // namespace gradloom
