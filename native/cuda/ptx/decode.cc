// From statements to instructions.
#include "cuda/ptx/decode.h"

#include <cstring>
#include <stdexcept>

#include "cuda/ptx/access.h"
#include "cuda/ptx/table.h"

namespace gradloom::ptx {
namespace {

const Table& instructions() {
  static const Table table = [] {
    Table all;
    addIntegers(all);
    addBits(all);
    addFloats(all);
    addRounded(all);
    addConversions(all);
    addComparisons(all);
    addExchanges(all);
    return all;
  }();
  return table;
}

void trap(Warp& warp, const Instruction&) {
  throw Fault(__builtin_ctz(warp.mask), "a trap: the kernel gave up");
}

uint32_t bytesOfLetter(char letter) {
  return letter == 'd' ? 8 : letter == 'w' ? 4 : letter == 'h' ? 2 : 0;
}

bool beginsWith(const std::string& text, const char* with) {
  return text.compare(0, std::strlen(with), with) == 0;
}

class Decoder {
 public:
  Decoder(Module& from, const Symbols& variables, Program& to)
      : module(from), program(to), names(to, variables) {}

  void entry(const Function& function) {
    program.mostThreads = function.mostThreads;
    for (const Variable& each : function.parameters) {
      const uint64_t offset = (program.parameterBytes + each.align - 1) / each.align * each.align;
      program.parameters.push_back({offset, each.bytes});
      program.parameterBytes = offset + each.bytes;
      names.declareSymbol(each.name, {Space::parameter, offset});
    }
    body(function, "");
    resolve();
  }

 private:
  struct Jump {
    size_t from;
    std::string label;
  };

  // `call` tells the labels of one call from those of another; empty: the kernel itself.
  void body(const Function& function, const std::string& call) {
    for (const Statement& each : function.body) {
      try {
        statement(each, call);
      } catch (const std::runtime_error& error) {
        const std::string text = error.what();
        if (beginsWith(text, "PTX line")) throw;
        throw std::runtime_error("PTX line " + std::to_string(each.line) + ", " + each.opcode +
                                 ": " + text);
      }
    }
    labels[call + "#end"] = program.code.size();
    if (call.empty()) add({}, Flow::exit, nullptr);
  }

  void statement(const Statement& s, const std::string& call) {
    if (s.opcode == "{") return names.open();
    if (s.opcode == "}") return names.close();
    if (s.opcode == ":") {
      labels[call + s.operands[0]] = program.code.size();
    } else if (s.opcode == ".reg") {
      names.declareRegisters(s.operands[0]);
    } else if (s.opcode[0] == '.') {
      if (s.opcode == ".pragma" || s.opcode == ".loc") return;
      names.place(readVariable(s.operands[0], s.line));  // those of calls are in local memory
    } else if (beginsWith(s.opcode, "call")) {
      callFunction(s);
    } else if (!control(s, call)) {
      compute(s);
    }
  }

  Instruction& add(const Statement& s, Flow flow, Action run) {
    Instruction& i = program.code.emplace_back();
    i.line = s.line;
    i.flow = flow;
    i.run = run;
    if (!s.guard.empty()) {
      i.guarded = true;
      i.negated = s.guard[0] == '!';
      i.guard = names.operand(s.guard.substr(i.negated ? 1 : 0), 0);
    }
    return i;
  }

  bool control(const Statement& s, const std::string& call) {
    if (s.opcode == "bra" || s.opcode == "bra.uni") {
      jump(s, call + s.operands.at(0));
    } else if (s.opcode == "ret" && !call.empty()) {
      jump(s, call + "#end");
    } else if (s.opcode == "ret" || s.opcode == "exit") {
      add(s, Flow::exit, nullptr);
    } else if (s.opcode == "trap") {
      add(s, Flow::next, trap);
    } else if (s.opcode == "bar.sync" || s.opcode == "barrier.sync") {
      if (s.operands != std::vector<std::string>{"0"}) {
        throw std::runtime_error("only the barrier 0 of all threads is supported");
      }
      add(s, Flow::barrier, nullptr);
    } else {
      return false;
    }
    return true;
  }

  void jump(const Statement& s, std::string label) {
    add(s, Flow::branch, nullptr);
    jumps.push_back({program.code.size() - 1, std::move(label)});
  }

  // The function's instructions come in the place of the call: nothing is recursive.
  void callFunction(const Statement& s) {
    if (!s.guard.empty()) throw std::runtime_error("a call under a condition is not supported");
    const bool returns = s.operands.at(0)[0] == '(';
    const size_t at = returns ? 1 : 0;
    const Function& function = module.function(s.operands.at(at));
    Symbols passed;
    const auto bind = [&](const std::vector<Variable>& formal, const std::string& list) {
      const auto actual = splitOperands(std::string_view(list).substr(1, list.size() - 2));
      if (actual.size() != formal.size()) throw std::runtime_error("the arguments do not fit");
      for (size_t i = 0; i < formal.size(); i++) {
        const Symbol* found = names.symbol(actual[i]);
        if (found == nullptr) throw std::runtime_error("there is no '" + actual[i] + "'");
        passed[formal[i].name] = *found;
      }
    };
    if (returns) bind(function.results, s.operands[0]);
    if (s.operands.size() > at + 1) bind(function.parameters, s.operands[at + 1]);
    auto hidden = names.enter();
    for (const auto& [name, symbol] : passed) names.declareSymbol(name, symbol);
    if (++depth > 16) throw std::runtime_error("calls are nested too deeply, or recursive");
    body(function, "call" + std::to_string(++calls) + ":");
    depth--;
    names.leave(std::move(hidden));
  }

  void compute(const Statement& s) {
    Access access;
    if (readAccess(s.opcode, access)) return memory(s, access);
    if (beginsWith(s.opcode, "wmma.")) return matrices(s);
    const bool moves = beginsWith(s.opcode, "mov.b") && s.operands.size() == 2;
    if (moves && s.operands[0][0] == '{') return parts(s, s.operands[1], s.operands[0], false);
    if (moves && s.operands[1][0] == '{') return parts(s, s.operands[0], s.operands[1], true);
    const auto row = instructions().find(s.opcode);
    if (row == instructions().end()) throw std::runtime_error("this instruction is not supported");
    Instruction i;
    const std::string letters = row->second.operands;
    if (s.operands.size() != letters.size()) throw std::runtime_error("wrong number of operands");
    for (size_t each = 0; each < letters.size(); each++) {
      std::string text = s.operands[each];
      const size_t bar = text.find('|');  // a shuffle's second result
      if (each == 0 && bar != text.npos) {
        i.parts = 2;
        i.vector[0] = names.operand(text.substr(bar + 1), 0);
        text.resize(bar);
      }
      i.at[each] = names.operand(text, bytesOfLetter(letters[each]));
    }
    i.vector[3] = i.at[letters.size() - 1];  // the lanes that an exchange names
    finish(s, i, row->second.flow, row->second.run);
  }

  void matrices(const Statement& s) {
    Fragments& f = program.fragments.emplace_back();
    const bool loads = beginsWith(s.opcode, "wmma.load."), stores = beginsWith(s.opcode, "wmma.st");
    const bool isShared = s.opcode.find(".shared") != s.opcode.npos;
    Space space = isShared ? Space::shared : Space::generic;
    Instruction i;
    const auto registers = [&](const std::string& text) {
      std::vector<uint32_t> all;
      for (const std::string& each : elements(text)) all.push_back(names.operand(each, 4));
      return all;
    };
    const Action run = actionOfMatrices(s.opcode, space, f);
    if (run == nullptr) throw std::runtime_error("this instruction is not supported");
    f.d = registers(s.operands.at(stores ? 1 : 0));
    if (loads || stores) {
      names.address(s.operands[loads ? 1 : 0], i, space);
      f.stride = names.operand(s.operands.at(2), 4);
      if (isShared && f.type != "f32") program.narrowShared = true;
    } else {
      f.a = registers(s.operands.at(1));
      f.b = registers(s.operands.at(2));
      f.c = registers(s.operands.at(3));
    }
    i.vector[3] = names.constant(~uint64_t{0}, 4);  // all lanes take part
    i.fragments = &f;
    finish(s, i, Flow::exchange, run);
  }

  void finish(const Statement& s, Instruction i, Flow flow, Action run) {
    const Instruction head = add(s, flow, run);
    i.line = head.line;
    i.flow = flow;
    i.run = run;
    i.guarded = head.guarded;
    i.negated = head.negated;
    i.guard = head.guard;
    program.code.back() = i;
  }

  std::vector<std::string> elements(const std::string& text) {
    if (text[0] != '{') return {text};
    return splitOperands(std::string_view(text).substr(1, text.size() - 2));
  }

  void parts(const Statement& s, const std::string& whole, const std::string& split, bool packs) {
    const std::vector<std::string> each = elements(split);
    const uint32_t bytes = uint32_t(bytesOfType(s.opcode.substr(4)));
    const uint32_t one = bytes / uint32_t(each.size());
    Instruction i;
    i.parts = uint8_t(each.size());
    i.at[0] = names.operand(whole, bytes);
    for (size_t part = 0; part < each.size(); part++) {
      i.vector[part] = names.operand(each[part], one);
    }
    const Action run = packs ? packAction(one) : unpackAction(one);
    if (run == nullptr) throw std::runtime_error("these parts are not supported");
    finish(s, i, Flow::next, run);
  }

  void memory(const Statement& s, Access access) {
    using Kind = Access::Kind;
    const bool hasResult = access.kind == Kind::load || beginsWith(s.opcode, "atom");
    Instruction i;
    i.parts = uint8_t(access.parts);
    names.address(s.operands.at(hasResult ? 1 : 0), i, access.space);
    uint32_t bytes = uint32_t(bytesOfType(access.type));
    if (access.kind == Kind::atomic) {
      i.vector[0] = hasResult ? names.operand(s.operands[0], bytes) : names.make(bytes).place;
      const size_t first = hasResult ? 2 : 1;
      i.at[2] = names.operand(s.operands.at(first), bytes);
      i.at[3] =
          s.operands.size() > first + 1 ? names.operand(s.operands[first + 1], bytes) : i.at[2];
    } else {
      const auto each = elements(s.operands.at(hasResult ? 0 : 1));
      if (int(each.size()) != access.parts) throw std::runtime_error("wrong number of elements");
      uint64_t bits = 0;
      if (!readNumber(each[0], bits)) bytes = names.known(each[0]).bytes;
      for (size_t part = 0; part < each.size(); part++) {
        i.vector[part] = names.operand(each[part], bytes);
      }
    }
    if (access.space == Space::shared && bytesOfType(access.type) < 4) program.narrowShared = true;
    const Action run = actionOf(access, int(bytes));
    if (run == nullptr) throw std::runtime_error("this access is not supported");
    finish(s, i, Flow::next, run);
  }

  void resolve() {
    for (const Jump& each : jumps) {
      const auto found = labels.find(each.label);
      if (found == labels.end()) throw std::runtime_error("there is no label " + each.label);
      program.code[each.from].offset = int64_t(found->second);
    }
  }

  Module& module;
  Program& program;
  Names names;
  std::map<std::string, size_t> labels;
  std::vector<Jump> jumps;
  int calls = 0;
  int depth = 0;
};

}  // namespace

Program decode(Module& module, const std::string& kernel, const Symbols& variables) {
  Program program;
  program.name = kernel;
  Decoder(module, variables, program).entry(module.function(kernel));
  return program;
}

}  // namespace gradloom::ptx
