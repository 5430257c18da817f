// Words, numbers and variables of PTX.
#include "cuda/ptx/syntax.h"

#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace gradloom::ptx {

std::string_view trimmed(std::string_view text) {
  const char* const blanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string> splitOperands(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); i++) {
    const char c = i < text.size() ? text[i] : ',';
    if (c == '{' || c == '[' || c == '(') depth++;
    if (c == '}' || c == ']' || c == ')') depth--;
    if (c != ',' || depth > 0) continue;
    const std::string_view part = trimmed(text.substr(begin, i - begin));
    if (!part.empty()) parts.emplace_back(part);
    begin = i + 1;
  }
  return parts;
}

bool readNumber(std::string_view text, uint64_t& bits) {
  if (text.empty()) return false;
  const bool negative = text[0] == '-';
  const std::string digits(negative ? text.substr(1) : text);
  if (digits.empty() || std::isdigit(static_cast<unsigned char>(digits[0])) == 0) return false;
  const bool isFloat = digits.size() > 1 && (digits[1] == 'f' || digits[1] == 'd' ||
                                             digits[1] == 'F' || digits[1] == 'D');
  char* end = nullptr;
  if (isFloat && digits[0] == '0') {
    bits = std::strtoull(digits.c_str() + 2, &end, 16);
    return !negative && *end == '\0';
  }
  bits = std::strtoull(digits.c_str(), &end, 0);
  if (*end == 'U') end++;
  if (negative) bits = 0 - bits;
  return *end == '\0';
}

uint64_t bytesOfType(std::string_view type) {
  if (type == "pred") return 0;
  const size_t digits = type.find_first_of("0123456789");
  uint64_t bits = 0;
  const bool known = digits == 1 && std::string_view("bufs").find(type[0]) != type.npos &&
                     readNumber(type.substr(digits), bits);
  if (!known || (bits != 8 && bits != 16 && bits != 32 && bits != 64)) {
    throw std::runtime_error("the type ." + std::string(type) + " is not supported");
  }
  return bits / 8;
}

namespace {

[[noreturn]] void refuse(std::string_view text, int line) {
  throw std::runtime_error("PTX line " + std::to_string(line) + ": cannot read the declaration '" +
                           std::string(text.substr(0, 120)) + "'");
}

// The next word of `rest`, which then begins behind it.
std::string_view takeWord(std::string_view& rest) {
  rest = trimmed(rest);
  size_t end = 0;
  while (end < rest.size() && std::string_view(" \t\r\n=[").find(rest[end]) == rest.npos) end++;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::vector<uint8_t> readInitial(std::string_view text, uint64_t bytesOfOne, int line) {
  text = trimmed(text);
  if (!text.empty() && text.front() == '{') text = text.substr(1, text.rfind('}') - 1);
  std::vector<uint8_t> bytes;
  for (const std::string& part : splitOperands(text)) {
    uint64_t bits = 0;
    if (!readNumber(part, bits)) refuse(part, line);
    for (uint64_t i = 0; i < bytesOfOne; i++) bytes.push_back(uint8_t(bits >> 8 * i));
  }
  return bytes;
}

}  // namespace

Variable readVariable(std::string_view text, int line) {
  Variable variable{"", "", 0, 0, {}};
  std::string_view rest = text;
  for (;;) {
    std::string_view word = takeWord(rest);
    if (word.empty()) refuse(text, line);
    if (word == ".align") {
      if (!readNumber(takeWord(rest), variable.align)) refuse(text, line);
    } else if (word == ".param" || word == ".local" || word == ".shared" || word == ".global" ||
               word == ".const") {
      variable.space = word.substr(1);
    } else if (word[0] == '.') {
      if (word != ".visible" && word != ".weak" && word != ".common") {
        variable.bytes = bytesOfType(word.substr(1));
      }
    } else {
      variable.name = word;
      break;
    }
  }
  if (variable.bytes == 0) refuse(text, line);
  const uint64_t bytesOfOne = variable.bytes;
  if (variable.align == 0) variable.align = bytesOfOne;
  rest = trimmed(rest);
  if (!rest.empty() && rest[0] == '[') {
    uint64_t count = 0;
    if (!readNumber(trimmed(rest.substr(1, rest.find(']') - 1)), count)) refuse(text, line);
    variable.bytes *= count;
    rest.remove_prefix(rest.find(']') + 1);
  }
  rest = trimmed(rest);
  if (!rest.empty() && rest[0] == '=') {
    variable.initial = readInitial(rest.substr(1), bytesOfOne, line);
    variable.initial.resize(variable.bytes);
  } else if (!rest.empty()) {
    refuse(text, line);
  }
  return variable;
}

}  // namespace gradloom::ptx
