// Finds the functions and variables of a PTX module, and cuts a function into statements.
#include <stdexcept>

#include "cuda/ptx/syntax.h"

namespace gradloom::ptx {
namespace {

// Walks over text, counts lines, and leaves comments out.
class Reader {
 public:
  Reader(std::string_view whole, int firstLine) : text(whole), line(firstLine) {}

  bool atEnd() {
    skipBlanks();
    return place >= text.size();
  }
  char peek() const { return text[place]; }
  void skip() { place++; }
  int lineHere() const { return line; }
  size_t position() const { return place; }
  std::string_view from(size_t begin) const { return text.substr(begin, place - begin); }

  // Text up to one of `ends` outside of brackets, which is not taken.
  std::string until(std::string_view ends) {
    std::string found;
    int depth = 0;
    while (place < text.size()) {
      if (skipComment()) continue;
      const char c = text[place];
      if (depth == 0 && ends.find(c) != ends.npos) break;
      if (c == '(' || c == '{' || c == '[') depth++;
      if (c == ')' || c == '}' || c == ']') depth--;
      if (c == '\n') line++;
      found += c;
      place++;
    }
    return found;
  }

  // Over a bracket that begins here and all that is in it.
  void skipBracket() {
    int depth = 0;
    while (place < text.size()) {
      if (skipComment()) continue;
      const char c = text[place++];
      if (c == '\n') line++;
      if (c == '{') depth++;
      if (c == '}' && --depth == 0) return;
    }
  }

  void skipBlanks() {
    while (place < text.size()) {
      if (skipComment()) continue;
      const char c = text[place];
      if (c == '\n') line++;
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\0') break;
      place++;
    }
  }

 private:
  bool skipComment() {
    if (text.compare(place, 2, "//") != 0) return false;
    const size_t end = text.find('\n', place);
    place = end == text.npos ? text.size() : end;
    return true;
  }

  std::string_view text;
  size_t place = 0;
  int line;
};

bool beginsWith(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

std::string_view firstWord(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t\r\n"));
}

std::vector<Variable> readParameters(std::string_view text, int line) {
  std::vector<Variable> all;
  for (const std::string& each : splitOperands(text)) all.push_back(readVariable(each, line));
  return all;
}

// Of a statement's text without its semicolon.
Statement readStatement(std::string_view text, int line) {
  Statement statement{line, "", "", {}};
  text = trimmed(text);
  if (text[0] == '@') {
    const std::string_view guard = firstWord(text);
    statement.guard = guard.substr(1);
    text = trimmed(text.substr(guard.size()));
  }
  const std::string_view opcode = firstWord(text);
  statement.opcode = opcode;
  const std::string_view rest = trimmed(text.substr(opcode.size()));
  if (opcode[0] == '.') {
    statement.operands.emplace_back(opcode == ".reg" || opcode == ".pragma" ? rest : text);
  } else {
    statement.operands = splitOperands(rest);
  }
  return statement;
}

// A function's body, behind its first brace.
std::vector<Statement> readBody(Reader& reader) {
  std::vector<Statement> body;
  for (int depth = 1; !reader.atEnd();) {
    const int line = reader.lineHere();
    if (reader.peek() == '{' || reader.peek() == '}') {
      depth += reader.peek() == '{' ? 1 : -1;
      if (depth == 0) return body;
      body.push_back({line, "", std::string(1, reader.peek()), {}});
      reader.skip();
      continue;
    }
    const std::string text = reader.until(";:");
    if (reader.atEnd()) break;
    if (reader.peek() == ':' && text[0] != '@' && text.find(' ') == text.npos) {
      body.push_back({line, "", ":", {std::string(trimmed(text))}});
    } else {
      body.push_back(readStatement(text, line));
    }
    reader.skip();
  }
  throw std::runtime_error("a function of the PTX module has no end");
}

// What stands between the parameters and the body: .maxntid 256, 1, 1 and the like.
uint64_t readMostThreads(std::string_view text) {
  const size_t place = text.find(".maxntid");
  if (place == text.npos) return 1024;
  std::string_view numbers = text.substr(place + 8);
  numbers = numbers.substr(0, numbers.find('.'));
  uint64_t product = 1;
  for (const std::string& each : splitOperands(numbers)) {
    uint64_t number = 1;
    if (readNumber(each, number)) product *= number;
  }
  return product;
}

// The name of a function and, of one that returns something, its results.
void readHead(Function& function, std::string head, int line) {
  const size_t word = head.find(function.isEntry ? ".entry" : ".func");
  std::string_view rest = trimmed(std::string_view(head).substr(word + (function.isEntry ? 6 : 5)));
  if (!rest.empty() && rest[0] == '(') {
    const size_t end = rest.find(')');
    function.results = readParameters(rest.substr(1, end - 1), line);
    rest = trimmed(rest.substr(end + 1));
  }
  function.name = trimmed(rest.substr(0, rest.find('(')));
  if (rest.find('(') == rest.npos) return;
  const size_t begin = rest.find('(') + 1;
  function.parameters = readParameters(rest.substr(begin, rest.rfind(')') - begin), line);
  function.mostThreads = readMostThreads(rest.substr(rest.rfind(')')));
}

bool isFunction(std::string_view text) {
  return text.find(".entry") != text.npos || text.find(".func") != text.npos;
}

Function headOf(std::string_view text, int line) {
  Function function{"", text.find(".entry") != text.npos, {}, {}, {}, line};
  readHead(function, std::string(text), line);
  return function;
}

}  // namespace

Module::Module(std::string_view text) {
  Reader reader(text, 1);
  while (!reader.atEnd()) {
    const size_t begin = reader.position();
    const int line = reader.lineHere();
    if (reader.peek() == '.') {
      const std::string_view rest = text.substr(begin);
      if (beginsWith(rest, ".version") || beginsWith(rest, ".target") ||
          beginsWith(rest, ".address_size")) {
        reader.until("\n");
        continue;
      }
    }
    // A function ends with its body, and the rest with semicolons.
    const std::string_view head = text.substr(begin, text.find_first_of("(;=", begin) - begin);
    if (isFunction(head)) {
      const std::string before = reader.until("{;");
      if (!reader.atEnd() && reader.peek() == '{') {
        reader.skipBracket();
      }
      places[headOf(before, line).name] = {reader.from(begin), line};
    } else {
      declare(reader.until(";"), line);
    }
    if (!reader.atEnd() && reader.peek() == ';') reader.skip();
  }
}

void Module::declare(std::string_view text, int line) {
  if (beginsWith(text, ".extern")) return;  // its use is an error that names it
  declared.push_back(readVariable(text, line));
}

const Function& Module::function(const std::string& name) {
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  const auto place = places.find(name);
  if (place == places.end()) throw std::runtime_error("the PTX module has no function " + name);
  Reader reader(place->second.text, place->second.line);
  const std::string before = reader.until("{");
  if (reader.atEnd()) throw std::runtime_error("the function " + name + " has no body here");
  Function function = headOf(before, place->second.line);
  reader.skip();
  function.body = readBody(reader);
  return known[name] = std::move(function);
}

}  // namespace gradloom::ptx
