#include "report/formats/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cwchar>
#include <cwctype>
#include <span>
#include <type_traits>

#include "base/little_endian.h"
#include "base/printable.h"
#include "report/formats/colors.h"
#include "report/formats/syslog_names.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

// One character at the beginning of a text, in the locale's encoding.
struct Character {
  std::size_t length = 1;  // bytes
  bool printable = false;
};

// What dmesg prints and this doesn't, where the locale is one of UTF-8.
bool turns_text(std::string_view bytes) {
  return utf8_length(bytes) == bytes.size() && is_control(bytes);
}

// What dmesg takes for white space, and a terminal for an order to write over what is there.
bool moves_cursor(char byte) {
  return byte == '\r' || byte == '\v' || byte == '\f';
}

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
    const bool is_shown = std::iswprint(point) != 0 || std::iswspace(point) != 0;
    return {length, is_shown && !turns_text(text.substr(0, length))};
  }
  return {1, std::isprint(byte) != 0 || std::isspace(byte) != 0};
}

bool is_plain(char byte) {
  return byte >= ' ' && byte <= '~';
}

// Of eight characters at once: in a byte that is none of them, one of the three has the highest bit
// set.
bool are_plain(std::uint64_t bytes) {
  constexpr std::uint64_t each = 0x0101010101010101;
  return (((bytes - each * ' ') | (bytes + each) | bytes) & (each * 0x80)) == 0;
}

// How many characters of ASCII that can be printed begin a text: in every locale they are what they
// are, and almost all of a log is.
std::size_t plain_length(std::string_view text) {
  constexpr std::size_t eight = sizeof(std::uint64_t);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  std::size_t length = 0;
  while (text.size() - length >= eight &&
         are_plain(load_u64(bytes.subspan(length).first<eight>()))) {
    length += eight;
  }
  while (length < text.size() && is_plain(text[length])) ++length;
  return length;
}

// As it is but for the indent.
void append_raw(std::string& line, std::string_view text, std::size_t indent, bool more) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    line += text[i];
    if (text[i] == '\n' && (more || i + 1 < text.size())) line.append(indent, ' ');
  }
}

// `more`: further text of the same record follows.
void append_escaped(std::string& line, std::string_view text, std::size_t indent, bool more,
                    bool for_terminal) {
  while (!text.empty()) {
    if (const std::size_t plain = plain_length(text); plain > 0) {
      line += text.substr(0, plain);
      text.remove_prefix(plain);
      continue;
    }
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.length);
    if (character.printable && !(for_terminal && moves_cursor(bytes.front()))) {
      line += bytes;
    } else {
      for (const char byte : bytes) line += hex_escape(byte);
    }
    text.remove_prefix(character.length);
    if (bytes == "\n" && (more || !text.empty())) {
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

// The lines of a text that are not empty, as dmesg -p takes them apart.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

class TextWriter : public ReportWriter {
 public:
  TextWriter(const ReportContext& context, std::ostream& out)
      : style_(context.style),
        times_(style_.times, context.guest.clock),
        knows_guest_(context.knows_guest),
        out_(out) {}

  void write(const LogRecord& record, std::uint64_t previous_usec) override {
    begin_section(record);
    if (record.state == LogRecord::State::TextLost) return;
    line_.clear();
    if (!record.text.empty()) append_record(record, previous_usec);
    line_ += '\n';
    out_ << line_;
  }

  // A section for each place, so that nobody takes it for a part of the log.
  void write(const UnloggedText& unlogged) override {
    if (const std::string name = describe(unlogged); name != section_) {
      out_ << fmt::format("-- not in the log yet: {} --\n", name);
      section_ = name;
    }
    line_.clear();
    append_text(unlogged.text, 0, false);
    out_ << line_ << '\n';
  }

  // With the host's time in front, which is not the guest's.
  void write(const HostLine& line) override {
    if (knows_guest_ && section_ != line.file) {
      out_ << fmt::format(
          "-- not in the log: sent to the host, with the host's times, from {} --\n",
          printable(line.file));
      section_ = line.file;
    }
    line_.clear();
    if (style_.raw) {
      append_text(raw_line(line), 0, false);
    } else {
      const LogRecord record = record_of(line, 0);
      line_ += line.host_time + ' ';
      if (style_.decode && has_facility_name(record.facility)) line_ += decoded_of(record);
      if (line.ts_nsec) line_ += since_boot(record);
      append_text(line.text, 0, false);
    }
    out_ << line_ << '\n';
  }

  void leave_gap() override { out_ << "--\n"; }

 private:
  static std::string decoded_of(const LogRecord& record) {
    return fmt::format("{:6}:{:6}: ", facility_name(record.facility), level_name(record.level));
  }

  static std::string since_boot(const LogRecord& record) {
    constexpr std::uint64_t nsec_per_usec = 1000;
    constexpr std::uint64_t second = 1'000'000;
    const std::uint64_t usec = record.ts_nsec / nsec_per_usec;
    return fmt::format("[{:5}.{:06}] ", usec / second, usec % second);
  }

  void begin_section(const LogRecord& record) {
    const bool recovered = record.origin == LogRecord::Origin::StaticBuffer;
    if (recovered && !in_static_buffer_) {
      out_ << "-- kept in the buffer of early boot, since lost by the log --\n";
    } else if (!recovered && in_static_buffer_) {
      out_ << fmt::format("-- the log, from record {} on --\n", record.seq);
    }
    in_static_buffer_ = recovered;
  }

  void append_record(const LogRecord& record, std::uint64_t previous_usec) {
    TimePrefixes::Prefix time;
    std::string decoded;
    if (style_.raw) {
      time.text = fmt::format("<{}>", priority(record)) + since_boot(record);
      time.indent = time.text.size();
    } else {
      if (style_.decode && has_facility_name(record.facility)) {
        decoded = decoded_of(record);
      }
      time = times_.next(record.ts_nsec, previous_usec);
    }
    const std::size_t indent = decoded.size() + time.indent;
    if (!style_.force_prefix) {
      append_line(decoded, time, record.level, record.text, indent);
      return;
    }
    bool first = true;
    for (const std::string_view line : split_lines(record.text)) {
      if (!first) {
        line_ += '\n';
        if (const auto repeated = times_.repeated(); repeated && !style_.raw) time.text = *repeated;
      }
      append_line(decoded, time, record.level, line, indent);
      first = false;
    }
  }

  void append_line(const std::string& decoded, const TimePrefixes::Prefix& time, std::uint8_t level,
                   std::string_view text, std::size_t indent) {
    line_ += decoded;
    if (!style_.color) {
      line_ += time.text;
      append_text(text, indent, false);
      return;
    }
    append_colored(time.minute_break ? colors::time_break : colors::time, time.text);
    if (const std::size_t length = colors::subsystem_length(text); length > 0) {
      line_ += colors::subsystem;
      append_text(text.substr(0, length), indent, true);
      line_ += colors::reset;
      text.remove_prefix(length);
    }
    const std::string_view color = colors::of_text(level, text);
    line_ += color;
    append_text(text, indent, false);
    if (!color.empty()) line_ += colors::reset;
  }

  void append_colored(std::string_view color, std::string_view text) {
    if (text.empty()) return;
    line_ += color;
    line_ += text;
    line_ += colors::reset;
  }

  void append_text(std::string_view text, std::size_t indent, bool more) {
    if (style_.escape) {
      append_escaped(line_, text, indent, more, style_.for_terminal);
    } else {
      append_raw(line_, text, indent, more);
    }
  }

  TextStyle style_;
  TimePrefixes times_;
  bool knows_guest_;
  std::ostream& out_;
  std::string line_;
  std::string section_;
  bool in_static_buffer_ = false;
};

}  // namespace

std::unique_ptr<ReportWriter> make_text_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<TextWriter>(context, out);
}

}  // namespace photon_dmesg
