#include <stdexcept>

#include "cuda/ptx/decode.h"

namespace gradloom::ptx {
namespace {

const std::map<std::string, Special> specialNames = {
    {"%tid.x", tidX},     {"%tid.y", tidY},       {"%tid.z", tidZ},       {"%ntid.x", ntidX},
    {"%ntid.y", ntidY},   {"%ntid.z", ntidZ},     {"%ctaid.x", ctaidX},   {"%ctaid.y", ctaidY},
    {"%ctaid.z", ctaidZ}, {"%nctaid.x", nctaidX}, {"%nctaid.y", nctaidY}, {"%nctaid.z", nctaidZ},
    {"%laneid", laneId},  {"%warpid", warpId},
};

uint64_t roundedUp(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

}  // namespace

Names::Names(Program& owner, const Symbols& all) : program(owner), variables(all) {
  open();
}

std::vector<Scope> Names::enter() {
  std::vector<Scope> hidden;
  hidden.swap(scopes);
  open();
  return hidden;
}

Register Names::make(uint32_t bytes) {
  const Register made{program.registerBytes, bytes};
  const uint64_t whole = bytes == 0 ? 4 : uint64_t(bytes) * lanes;
  program.registerBytes = uint32_t(roundedUp(program.registerBytes + whole, 64));
  return made;
}

void Names::declareRegisters(const std::string& text) {
  const size_t blank = text.find_first_of(" \t");
  const uint32_t bytes = uint32_t(bytesOfType(text.substr(1, blank - 1)));
  for (const std::string& name : splitOperands(std::string_view(text).substr(blank))) {
    const size_t many = name.find('<');
    uint64_t count = 0;
    if (many == name.npos) {
      scopes.back().registers[name] = make(bytes);
    } else if (readNumber(name.substr(many + 1, name.find('>') - many - 1), count)) {
      for (uint64_t each = 0; each < count; each++) {
        scopes.back().registers[name.substr(0, many) + std::to_string(each)] = make(bytes);
      }
    }
  }
}

void Names::declareSymbol(const std::string& name, Symbol symbol) {
  scopes.back().symbols[name] = symbol;
}

void Names::place(const Variable& variable) {
  const bool shared = variable.space == "shared";
  uint64_t& bytes = shared ? program.sharedBytes : program.localBytes;
  const uint64_t address = roundedUp(bytes, variable.align);
  bytes = roundedUp(address + variable.bytes, shared ? 16 : 8);
  declareSymbol(variable.name, {shared ? Space::shared : Space::local, address});
}

const Symbol* Names::symbol(const std::string& name) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    const auto found = scope->symbols.find(name);
    if (found != scope->symbols.end()) return &found->second;
  }
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : &found->second;
}

Register Names::known(const std::string& name) const {
  const auto special = specialNames.find(name);
  if (special != specialNames.end()) return {special->second * specialBytes, 4};
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    const auto found = scope->registers.find(name);
    if (found != scope->registers.end()) return found->second;
  }
  throw std::runtime_error("there is no register '" + name + "'");
}

uint32_t Names::constant(uint64_t bits, uint32_t bytes) {
  const auto [found, added] = constants.try_emplace({bits, bytes}, 0);
  if (added) {
    found->second = make(bytes).place;
    program.constants.push_back({found->second, bytes, bits});
  }
  return found->second;
}

uint32_t Names::operand(const std::string& text, uint32_t bytes) {
  uint64_t bits = 0;
  if (readNumber(text, bits)) {
    if (bytes == 0) return constant(bits != 0 ? ~uint64_t{0} : 0, 4);  // a bit for every lane
    return constant(bits, bytes);
  }
  if (const Symbol* found = symbol(text)) return constant(found->address, bytes);
  if (text == "_") return make(bytes).place;
  const Register reg = known(text);
  if (reg.bytes != bytes) {
    throw std::runtime_error("'" + text + "' has " + std::to_string(8 * reg.bytes) +
                             " bits where " + std::to_string(8 * bytes) + " are expected");
  }
  return reg.place;
}

void Names::address(const std::string& text, Instruction& i, Space& space) {
  std::string base(trimmed(std::string_view(text).substr(1, text.size() - 2)));
  uint64_t offset = 0, bits = 0;
  const size_t plus = base.find('+');
  if (plus != base.npos) {
    if (!readNumber(base.substr(plus + 1), offset)) throw std::runtime_error("odd address " + text);
    base.resize(plus);
  }
  i.at[1] = constant(0, 8);
  if (const Symbol* found = symbol(base)) {
    offset += found->address;
    if (space == Space::parameter) space = found->space;
  } else if (readNumber(base, bits)) {
    offset += bits;
  } else {
    const Register reg = known(base);
    i.at[1] = reg.place;
    i.wideAddress = reg.bytes == 8;
  }
  i.offset = int64_t(offset);
}

}  // namespace gradloom::ptx
