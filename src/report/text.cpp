#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cwchar>
#include <cwctype>
#include <type_traits>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

// One character at the beginning of a text, in the locale's encoding.
struct Character {
  std::size_t length = 1;  // bytes
  bool printable = false;
};

Character first_character(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t length = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (length == 0 || length > text.size()) {
    return {1, false};  // a NUL, or bytes that are no character
  }
  if (length > 1) {
    const auto point = static_cast<std::wint_t>(static_cast<std::make_unsigned_t<wchar_t>>(wide));
    return {length, std::iswprint(point) != 0 || std::iswspace(point) != 0};
  }
  return {1, std::isprint(byte) != 0 || std::isspace(byte) != 0};
}

// How many characters of ASCII that can be printed begin a text: in every locale they are what they
// are, and almost all of a log is.
std::size_t plain_length(std::string_view text) {
  const auto* end =
      std::find_if(text.begin(), text.end(), [](char byte) { return byte < ' ' || byte > '~'; });
  return static_cast<std::size_t>(end - text.begin());
}

void append_escaped(std::string& line, std::string_view text, std::size_t indent) {
  while (!text.empty()) {
    if (const std::size_t plain = plain_length(text); plain > 0) {
      line += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.length);
    if (character.printable) {
      line += bytes;
    } else {
      for (const char byte : bytes) line += hex_escape(byte);
    }
    text.remove_prefix(character.length);
    if (bytes == "\n" && !text.empty()) {
      line.append(indent, ' ');
    }
  }
}

std::string describe(const UnloggedText& unlogged) {
  switch (unlogged.source) {
    case UnloggedText::Source::Reserved:
      return fmt::format("record {}, as far as it was written", unlogged.seq.value_or(0));
    case UnloggedText::Source::Cont:
      return "a line waiting for its end";
    case UnloggedText::Source::TextBuffer:
      return "printk's buffer, being filled; the end may be of an earlier text";
    case UnloggedText::Source::SafeBuffer:
      return fmt::format("CPU {}, printk within printk", unlogged.cpu.value_or(0));
    case UnloggedText::Source::NmiBuffer:
      return fmt::format("CPU {}, printk in an NMI", unlogged.cpu.value_or(0));
  }
  return "unknown";
}

// A section for each place, so that nobody takes it for a part of the log.
void write_unlogged(const std::vector<UnloggedText>& unlogged, std::ostream& out) {
  std::string section;
  for (const UnloggedText& entry : unlogged) {
    if (const std::string name = describe(entry); name != section) {
      out << fmt::format("-- not in the log yet: {} --\n", name);
      section = name;
    }
    std::string line;
    append_escaped(line, entry.text, 0);
    out << line << '\n';
  }
}

}  // namespace

std::string text_line(const LogRecord& record, TimeFormat format,
                      std::int64_t realtime_offset_nsec) {
  if (record.state == LogRecord::State::TextLost) {
    return "";
  }
  std::string line;
  if (!record.text.empty()) {
    line = time_prefix(record.ts_nsec, format, realtime_offset_nsec);
    append_escaped(line, record.text, line.size());
  }
  return line + '\n';
}

void write_text(const Report& report, std::ostream& out) {
  const TimeFormat format = report.guest.clock ? report.time_format : TimeFormat::SinceBoot;
  const std::int64_t offset = report.guest.clock ? report.guest.clock->realtime_offset_nsec : 0;
  const LogRecord* before = nullptr;
  for (const LogRecord& record : report.log.records) {
    const bool log_begins = before != nullptr && before->origin != record.origin;
    if (before == nullptr && record.origin == LogRecord::Origin::StaticBuffer) {
      out << "-- kept in the buffer of early boot, since lost by the log --\n";
    } else if (log_begins) {
      out << fmt::format("-- the log, from record {} on --\n", record.seq);
    }
    out << text_line(record, format, offset);
    before = &record;
  }
  write_unlogged(report.log.unlogged, out);
}

}  // namespace photon_dmesg
