#include "cuda/ptx/access.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "cuda/ptx/places.h"
#include "cuda/ptx/syntax.h"

namespace gradloom::ptx {
namespace {

// Elements are T in memory and may lie in wider registers.
template <Space space, class T, class Register>
void load(Warp& warp, const Instruction& i) {
  Places places;
  locate<space>(warp, i, uint32_t(sizeof(T) * i.parts), Use::read, places);
  for (int part = 0; part < i.parts; part++) {
    Register* const to = warp.at<Register>(i.vector[part]);
    for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      T value;
      std::memcpy(&value, places.at[lane] + sizeof(T) * size_t(part), sizeof value);
      to[lane] = Register(value);
    }
  }
}
template <Space space, class T, class Register>
void store(Warp& warp, const Instruction& i) {
  Places places;
  locate<space>(warp, i, uint32_t(sizeof(T) * i.parts), Use::write, places);
  for (int part = 0; part < i.parts; part++) {
    const Register* const from = warp.at<Register>(i.vector[part]);
    for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      const T value = T(from[lane]);
      std::memcpy(places.at[lane] + sizeof(T) * size_t(part), &value, sizeof value);
    }
  }
}

// at: the result (as vector[0]), the address, the operand, and for cas the second operand.
template <Space space, class T, class Operation>
void atomic(Warp& warp, const Instruction& i) {
  Places places;
  locate<space>(warp, i, sizeof(T), Use::atomic, places);
  T* const to = warp.at<T>(i.vector[0]);
  const T* const a = warp.at<T>(i.at[2]);
  const T* const b = warp.at<T>(i.at[3]);
  for (uint32_t rest = warp.mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    T before;
    std::memcpy(&before, places.at[lane], sizeof before);
    const T after = Operation::of(before, a[lane], b[lane]);
    std::memcpy(places.at[lane], &after, sizeof after);
    to[lane] = before;
  }
}

#define GRADLOOM_ATOMIC(Name, expression)           \
  struct Name {                                     \
    template <class T>                              \
    static T of(T old, T a, [[maybe_unused]] T b) { \
      return T(expression);                         \
    }                                               \
  };
GRADLOOM_ATOMIC(Add, old + a)
GRADLOOM_ATOMIC(Min, std::min(old, a))
GRADLOOM_ATOMIC(Max, std::max(old, a))
GRADLOOM_ATOMIC(Exchange, (static_cast<void>(old), a))
GRADLOOM_ATOMIC(CompareAndSwap, old == a ? b : old)
#undef GRADLOOM_ATOMIC

template <class Body>
Action withSpace(Space space, Body&& body) {
  switch (space) {
    case Space::generic:
      return body(std::integral_constant<Space, Space::generic>());
    case Space::global:
      return body(std::integral_constant<Space, Space::global>());
    case Space::shared:
      return body(std::integral_constant<Space, Space::shared>());
    case Space::local:
      return body(std::integral_constant<Space, Space::local>());
    case Space::parameter:
      return body(std::integral_constant<Space, Space::parameter>());
  }
  return nullptr;
}

template <class T>
Action plainOf(const Access& access, int registerBytes) {
  return withSpace(access.space, [&](auto space) -> Action {
    constexpr Space in = decltype(space)::value;
    const auto withRegister = [&](auto wide) -> Action {
      using Register = decltype(wide);
      if (access.kind == Access::Kind::load) return load<in, T, Register>;
      return store<in, T, Register>;
    };
    constexpr bool isSigned = std::is_signed_v<T>;
    if (registerBytes == 2 && sizeof(T) <= 2) {
      return withRegister(std::conditional_t<isSigned, int16_t, uint16_t>());
    }
    if (registerBytes == 4 && sizeof(T) <= 4) {
      return withRegister(std::conditional_t<isSigned, int32_t, uint32_t>());
    }
    if (registerBytes == 8) return withRegister(std::conditional_t<isSigned, int64_t, uint64_t>());
    return nullptr;
  });
}

template <class T>
Action atomicOf(const Access& access) {
  return withSpace(access.space, [&](auto space) -> Action {
    constexpr Space in = decltype(space)::value;
    if (access.operation == "add") return atomic<in, T, Add>;
    if (access.operation == "min") return atomic<in, T, Min>;
    if (access.operation == "max") return atomic<in, T, Max>;
    if (access.operation == "exch") return atomic<in, T, Exchange>;
    if (access.operation == "cas") return atomic<in, T, CompareAndSwap>;
    return nullptr;
  });
}

Action atomicAction(const Access& access) {
  const std::string& type = access.type;
  if (type == "u32" || type == "b32") return atomicOf<uint32_t>(access);
  if (type == "s32") return atomicOf<int32_t>(access);
  if (type == "u64" || type == "b64") return atomicOf<uint64_t>(access);
  if (type == "s64") return atomicOf<int64_t>(access);
  if (type == "f32") return atomicOf<float>(access);
  if (type == "f64") return atomicOf<double>(access);
  return nullptr;
}

bool isOneOf(const std::string& word, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> wordsOf(const std::string& opcode) {
  std::vector<std::string> words;
  size_t begin = 0;
  for (size_t end = 0; end != opcode.npos; begin = end + 1) {
    end = opcode.find('.', begin);
    words.push_back(opcode.substr(begin, end - begin));
  }
  return words;
}

}  // namespace

bool readAccess(const std::string& opcode, Access& access) {
  const std::vector<std::string> words = wordsOf(opcode);
  if (!isOneOf(words[0], {"ld", "ldu", "st", "atom", "red"})) return false;
  using Kind = Access::Kind;
  access = {words[0][0] == 'l' ? Kind::load
            : words[0] == "st" ? Kind::store
                               : Kind::atomic,
            Space::generic, words.back(), 1, ""};
  for (size_t each = 1; each + 1 < words.size(); each++) {
    const std::string& word = words[each];
    if (word == "global")
      access.space = Space::global;
    else if (word == "shared")
      access.space = Space::shared;
    else if (word == "local")
      access.space = Space::local;
    else if (word == "param")
      access.space = Space::parameter;
    else if (word == "v2")
      access.parts = 2;
    else if (word == "v4")
      access.parts = 4;
    else if (isOneOf(word, {"add", "min", "max", "exch", "cas"}))
      access.operation = word;
    // Caching and ordering change nothing where one instruction runs after another.
    else if (!isOneOf(word,
                      {"nc", "volatile", "relaxed", "weak", "gpu", "sys", "cta", "ca", "cg"})) {
      throw std::runtime_error("'" + opcode + "' is not supported: what is ." + word + "?");
    }
  }
  return true;
}

Action actionOf(const Access& access, int registerBytes) {
  if (access.kind == Access::Kind::atomic) return atomicAction(access);
  switch (bytesOfType(access.type)) {
    case 1:
      return access.type[0] == 's' ? plainOf<int8_t>(access, registerBytes)
                                   : plainOf<uint8_t>(access, registerBytes);
    case 2:
      return access.type[0] == 's' ? plainOf<int16_t>(access, registerBytes)
                                   : plainOf<uint16_t>(access, registerBytes);
    case 4:
      return access.type[0] == 's' ? plainOf<int32_t>(access, registerBytes)
                                   : plainOf<uint32_t>(access, registerBytes);
    default:
      return plainOf<uint64_t>(access, registerBytes);
  }
}

}  // namespace gradloom::ptx
