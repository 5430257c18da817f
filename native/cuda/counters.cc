#include "cuda/counters.h"

#include <cstring>
#include <tuple>

namespace gradloom::cuda {
namespace {

template <class T>
std::string field(const char* name, T value) {
  return "\"" + std::string(name) + "\":" + std::to_string(value);
}

std::string field(const char* name, const Copies& copies) {
  return "\"" + std::string(name) + "\":{" + field("count", copies.count) + "," +
         field("bytes", copies.bytes) + "}";
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
  return "{" + text + "}";
}

std::string sizesOf(const Label& label) {
  std::string text = "[";
  for (int i = 0; i < label.count; i++) {
    text += (i > 0 ? ", " : "") + std::to_string(label.sizes[size_t(i)]);
  }
  return text + "]";
}

}  // namespace

Label::Label(const char* kernel, std::initializer_list<int64_t> given) : name(kernel) {
  for (const int64_t size : given) {
    if (count < most) sizes[size_t(count++)] = size;
  }
}

std::string Label::text() const {
  return std::string(name) + " " + sizesOf(*this);
}

// By the text of the name: one may lie at several addresses.
bool Label::operator<(const Label& other) const {
  const int order = std::strcmp(name, other.name);
  return order != 0 ? order < 0 : std::tie(count, sizes) < std::tie(other.count, other.sizes);
}

std::string asJson(const Counters& counters, const Statistics& memory) {
  std::string kernels;
  for (const auto& [label, count] : counters.kernels) {
    const std::string name = "\"kernel\":\"" + std::string(label.name) + "\"";
    kernels += (kernels.empty() ? "" : ",") +
               joined({name, "\"sizes\":" + sizesOf(label), field("count", count)});
  }
  return joined({
      field("launches", counters.launches),
      "\"kernels\":[" + kernels + "]",
      field("graphLaunches", counters.graphLaunches),
      field("captures", counters.captures),
      field("fills", counters.fills),
      field("waits", counters.waits),
      field("copiesToDevice", counters.toDevice),
      field("copiesFromDevice", counters.fromDevice),
      field("copiesOnDevice", counters.onDevice),
      field("copiesBesideWork", counters.besideWork),
      "\"memory\":" + joined({
                          field("inUse", memory.inUse),
                          field("cached", memory.cached),
                          field("peak", memory.peak),
                          field("requests", memory.requests),
                          field("allocations", memory.allocations),
                      }),
  });
}

}  // namespace gradloom::cuda
