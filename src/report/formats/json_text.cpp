#include "report/formats/json_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

// JSON may hold DEL and control characters outside ASCII as they are, and a terminal or a reader of
// lines would obey them. Outside ASCII, dumped JSON has nothing but the text of strings.
std::string without_controls(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  while (!json.empty()) {
    const auto* special = std::find_if(json.begin(), json.end(), [](char byte) {
      return static_cast<unsigned char>(byte) >= 0x7f;
    });
    const auto plain = static_cast<std::size_t>(special - json.begin());
    safe += json.substr(0, plain);
    json.remove_prefix(plain);
    const std::string_view character = json.substr(0, utf8_length(json));
    if (character.empty()) break;
    safe += is_control(character) ? json_escape(character) : std::string(character);
    json.remove_prefix(character.size());
  }
  return safe;
}

}  // namespace

std::string json_escape(std::string_view character) {
  return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code_point(character)));
}

ValidUtf8 to_utf8(std::string_view bytes) {
  ValidUtf8 result;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length > 0) {
      result.text += bytes.substr(0, length);
    } else {
      result.text += hex_escape(bytes.front());
      result.changed = true;
    }
    bytes.remove_prefix(std::max<std::size_t>(1, length));
  }
  return result;
}

std::string kmsg_escape(std::string_view bytes) {
  std::string escaped;
  for (const char byte : bytes) {
    const bool plain = byte >= ' ' && byte < '\x7f' && byte != '\\';
    escaped += plain ? std::string(1, byte) : hex_escape(byte);
  }
  return escaped;
}

const char* state_name(LogRecord::State state) {
  switch (state) {
    case LogRecord::State::Finished:
      return "finished";
    case LogRecord::State::Partial:
      return "partial";
    case LogRecord::State::Reopened:
      return "reopened";
    case LogRecord::State::TextLost:
      return "text-lost";
    case LogRecord::State::Truncated:
      return "truncated";
    case LogRecord::State::Unindexed:
      return "unindexed";
  }
  return "unknown";
}

std::string caller_name(const LogCaller& caller) {
  return fmt::format("{}{}", caller.kind == LogCaller::Kind::Cpu ? 'C' : 'T', caller.id);
}

std::string dump(const Json& json, int indent) {
  return without_controls(json.dump(indent));
}

}  // namespace photon_dmesg
