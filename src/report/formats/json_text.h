#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// What every JSON format shares: text that is always valid UTF-8, and that steers no terminal.

using Json = nlohmann::ordered_json;

struct ValidUtf8 {
  std::string text;
  bool changed = false;
};

// Bytes that are not UTF-8 as "\xNN".
[[nodiscard]] ValidUtf8 to_utf8(std::string_view bytes);

// As /dev/kmsg prints text and dictionary values (kernel/printk/printk.c, msg_print_ext_body).
[[nodiscard]] std::string kmsg_escape(std::string_view bytes);

// "partial", "text-lost"... as docs/formats.md explains them.
[[nodiscard]] const char* state_name(LogRecord::State state);

// "T12" or "C0".
[[nodiscard]] std::string caller_name(const LogCaller& caller);

// "\\u2028" for a character of UTF-8 below U+10000, as all that is_control() are.
[[nodiscard]] std::string json_escape(std::string_view character);

// `json` on one line (`indent` -1) or on several, with all that is_control() escaped: JSON may hold
// some of it as it is.
[[nodiscard]] std::string dump(const Json& json, int indent = -1);

}  // namespace photon_dmesg
