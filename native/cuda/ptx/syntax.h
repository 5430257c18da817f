// PTX as text: what a module declares, and the statements of a function. Knows no instruction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gradloom::ptx {

// A variable or parameter. Array types are bytes.
struct Variable {
  std::string space;  // "param", "local", "shared", "global" or "const"
  std::string name;
  uint64_t bytes;
  uint64_t align;
  std::vector<uint8_t> initial;  // empty: none
};

// One statement. Opcodes that are none: "{" and "}" begin and end a scope, ":" is a label, and
// those with a point in front are directives, whose text is the one operand.
struct Statement {
  int line;
  std::string guard;  // "", "%p1" or "!%p1"
  std::string opcode;
  std::vector<std::string> operands;
};

struct Function {
  std::string name;
  bool isEntry;
  std::vector<Variable> results;
  std::vector<Variable> parameters;
  std::vector<Statement> body;
  int line;
  uint64_t mostThreads = 1024;  // of a block
};

// A module's text, which must stay; functions are read when they are asked for.
class Module {
 public:
  explicit Module(std::string_view text);

  // Throws std::runtime_error for a name that the module has not.
  const Function& function(const std::string& name);
  bool has(const std::string& name) const { return places.count(name) > 0; }
  const std::vector<Variable>& variables() const { return declared; }

 private:
  struct Place {
    std::string_view text;
    int line;
  };
  void declare(std::string_view text, int line);

  std::map<std::string, Place> places;
  std::map<std::string, Function> known;
  std::vector<Variable> declared;
};

// Bytes of a type such as "u32"; 0 for a predicate.
uint64_t bytesOfType(std::string_view type);
// ".local .align 8 .b8 depot[40]" and the like. Throws std::runtime_error, with the line.
Variable readVariable(std::string_view text, int line);
std::string_view trimmed(std::string_view text);
// Parts between commas that stand in no bracket.
std::vector<std::string> splitOperands(std::string_view text);
// A number as PTX writes it: 12, -3, 0x1F, 0f3F800000, 0d3FF0000000000000. False if it is none.
bool readNumber(std::string_view text, uint64_t& bits);

}  // namespace gradloom::ptx
