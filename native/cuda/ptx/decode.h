// Names while a kernel is decoded: registers, symbols and labels, each within its scope.
#pragma once

#include <string>
#include <vector>

#include "cuda/ptx/program.h"

namespace gradloom::ptx {

struct Register {
  uint32_t place;
  uint32_t bytes;  // of a lane; 0: a predicate
};

struct Scope {
  std::map<std::string, Register> registers;
  Symbols symbols;
};

class Names {
 public:
  Names(Program& owner, const Symbols& variables);

  void open() { scopes.emplace_back(); }
  void close() { scopes.pop_back(); }
  // Hides all scopes until the second is called: a function does not see its caller's names.
  std::vector<Scope> enter();
  void leave(std::vector<Scope> hidden) { scopes = std::move(hidden); }

  // ".b32 %r<24>" or ".b32 %a, %b".
  void declareRegisters(const std::string& text);
  void declareSymbol(const std::string& name, Symbol symbol);
  // Gives a variable its place in the local or shared memory of the program.
  void place(const Variable& variable);

  const Symbol* symbol(const std::string& name) const;
  Register known(const std::string& name) const;  // throws std::runtime_error
  // A register that holds a number in every lane.
  uint32_t constant(uint64_t bits, uint32_t bytes);
  // What an operand stands for; `bytes` is the width it must have.
  uint32_t operand(const std::string& text, uint32_t bytes);
  // "[%rd1+8]", "[name+8]" or "[16]". A name that stands for a parameter may lie in another space.
  void address(const std::string& text, Instruction& i, Space& space);
  Register make(uint32_t bytes);

 private:
  Program& program;
  const Symbols& variables;
  std::vector<Scope> scopes;
  std::map<std::pair<uint64_t, uint32_t>, uint32_t> constants;
};

}  // namespace gradloom::ptx
