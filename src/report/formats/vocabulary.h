#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/formats/json_text.h"
#include "report/report.h"

// The words of the documents that `--json` and `info --json` print: the same fact has the same
// name, place and form in both. docs/formats.md lists every one of them.
namespace photon_dmesg {

// Of both documents and of ndjson's lines. A change that a reader could stumble over takes a new
// version here, in docs/formats.md and in share/schema.
inline constexpr int json_schema_version = 2;

// How far a level of a document is indented: as dmesg -J.
inline constexpr int json_indent = 3;

// `schema`: which document this is.
[[nodiscard]] Json schema_to_json(const char* name);

// `guest`, `source`.
[[nodiscard]] Json guest_to_json(const GuestInfo& guest);
[[nodiscard]] Json source_to_json(const SourceInfo& source);

// `guest.clock.boot`; null where the clock can't be read.
[[nodiscard]] Json boot_to_json(const GuestInfo& guest);

// `warnings`, `problems`.
[[nodiscard]] Json sentences_to_json(const std::vector<std::string>& sentences);

// An address or an offset between addresses: "0x1a".
[[nodiscard]] std::string hexadecimal(std::uint64_t value);

// Null for what is not known. Text is always valid UTF-8.
[[nodiscard]] Json text_or_null(const std::optional<std::string>& text);
template <typename Number>
[[nodiscard]] Json number_or_null(const std::optional<Number>& number) {
  return number ? Json(*number) : Json(nullptr);
}

}  // namespace photon_dmesg
