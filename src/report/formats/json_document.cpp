#include "report/formats/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "report/formats/vocabulary.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t indent = json_indent;

}  // namespace

std::string indented(std::string_view text, std::size_t by) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    result += text.substr(0, length);
    text.remove_prefix(length);
    if (result.back() == '\n') result.append(by, ' ');
  }
  return result;
}

void JsonDocument::name(std::string_view key) {
  out_ << (is_first_member_ ? "" : ",") << fmt::format("\n{:{}}\"{}\": ", "", indent, key);
  is_first_member_ = false;
}

void JsonDocument::member(std::string_view key, const Json& value) {
  name(key);
  out_ << indented(dump(value, json_indent), indent);
}

void JsonDocument::begin_array(std::string_view key) {
  name(key);
  out_ << '[';
  is_first_element_ = true;
}

std::string_view JsonDocument::begin_element() {
  static const std::string behind_another = fmt::format(",\n{:{}}", "", 2 * indent);
  const std::string_view start = behind_another;
  return start.substr(std::exchange(is_first_element_, false) ? 1 : 0);
}

void JsonDocument::element(const Json& value) {
  out_ << begin_element() << indented(dump(value, json_indent), 2 * indent);
}

void JsonDocument::end_array() {
  if (!is_first_element_) out_ << fmt::format("\n{:{}}", "", indent);
  out_ << ']';
}

void JsonDocument::end() {
  out_ << "\n}\n";
}

}  // namespace photon_dmesg
