#include "report/formats/json_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "report/formats/json_text.h"

namespace photon_dmesg {
namespace {

bool is_plain(char byte) {
  return byte >= ' ' && byte < '\x7f' && byte != '"' && byte != '\\';
}

void append_ascii(std::string& out, char byte) {
  switch (byte) {
    case '"':
    case '\\':
      out += {'\\', byte};
      break;
    case '\b':
      out += "\\b";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      out += json_escape({&byte, 1});
  }
}

}  // namespace

bool append_json_text(std::string& out, std::string_view bytes) {
  bool changed = false;
  out += '"';
  while (!bytes.empty()) {
    const auto* const special = std::find_if_not(bytes.begin(), bytes.end(), is_plain);
    out.append(bytes.begin(), special);
    bytes.remove_prefix(static_cast<std::size_t>(special - bytes.begin()));
    if (bytes.empty()) break;
    const std::size_t length = utf8_length(bytes);
    const std::string_view character = bytes.substr(0, std::max<std::size_t>(1, length));
    if (length == 0) {
      out += '\\' + hex_escape(bytes.front());
      changed = true;
    } else if (length == 1) {
      append_ascii(out, bytes.front());
    } else if (is_control(character)) {
      out += json_escape(character);
    } else {
      out += character;
    }
    bytes.remove_prefix(character.size());
  }
  out += '"';
  return changed;
}

JsonObject::JsonObject(std::string& out, int indent) : out_(out), indent_(indent) {
  out_ += '{';
}

void JsonObject::new_line(int indent) {
  if (indent_ < 0) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(indent), ' ');
}

void JsonObject::begin_member(std::string_view name) {
  if (!is_empty_) out_ += ',';
  is_empty_ = false;
  new_line(indent_);
  out_ += '"';
  out_ += name;
  out_ += indent_ < 0 ? "\":" : "\": ";
}

void JsonObject::add(std::string_view name, std::uint64_t number) {
  begin_member(name);
  const fmt::format_int digits(number);
  out_.append(digits.data(), digits.size());
}

void JsonObject::add(std::string_view name, bool value) {
  begin_member(name);
  out_ += value ? "true" : "false";
}

void JsonObject::add(std::string_view name, double number) {
  begin_member(name);
  // There are several shortest forms of some: of these, the one that the rest of the document has.
  std::array<char, 64> digits{};
  const char* const end =
      nlohmann::detail::to_chars(digits.data(), digits.data() + digits.size(), number);
  out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void JsonObject::add_plain(std::string_view name, std::string_view text) {
  begin_member(name);
  out_ += '"';
  out_ += text;
  out_ += '"';
}

bool JsonObject::add_text(std::string_view name, std::string_view text) {
  begin_member(name);
  return append_json_text(out_, text);
}

void JsonObject::add_printed(std::string_view name, std::string_view json) {
  begin_member(name);
  out_ += json;
}

void JsonObject::end(int indent) {
  if (!is_empty_) new_line(indent);
  out_ += '}';
}

}  // namespace photon_dmesg
