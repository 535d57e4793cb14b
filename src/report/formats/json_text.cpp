#include "report/formats/json_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

// JSON may hold DEL and the control characters U+0080 to U+009F as they are, and a terminal would
// obey them. Outside ASCII, dumped JSON has nothing but the text of strings.
std::string without_controls(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = static_cast<unsigned char>(i + 1 < json.size() ? json[i + 1] : 0);
    if (byte == 0x7f) {
      safe += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      safe += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      safe += json[i];
    }
  }
  return safe;
}

}  // namespace

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
