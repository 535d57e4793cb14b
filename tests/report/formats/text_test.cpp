#include "report/formats/text.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <clocale>

#include "support/sample_report.h"

namespace photon_dmesg::test {
namespace {

// The locale for one test.
class Locale {
 public:
  explicit Locale(const char* name) { REQUIRE(std::setlocale(LC_CTYPE, name) != nullptr); }
  ~Locale() { std::setlocale(LC_CTYPE, "C"); }
  Locale(const Locale&) = delete;
  Locale& operator=(const Locale&) = delete;
};

LogRecord record_of(std::uint64_t ts_nsec, std::string text) {
  LogRecord record;
  record.ts_nsec = ts_nsec;
  record.text = std::move(text);
  return record;
}

std::string text_line(const LogRecord& record, const TextStyle& style = {}) {
  SampleReport report;
  report.style = style;
  report.records = {record};
  return written(report, "text");
}

}  // namespace

TEST_CASE("text: seconds take five columns, microseconds are cut, not rounded") {
  CHECK(text_line(record_of(0, "a")) == "[    0.000000] a\n");
  CHECK(text_line(record_of(1'999'999'999, "a")) == "[    1.999999] a\n");
  CHECK(text_line(record_of(123'456'789'012'345, "a")) == "[123456.789012] a\n");
  CHECK(text_line(record_of(~std::uint64_t{0}, "a")) == "[18446744073.709551] a\n");
}

TEST_CASE("text: further lines of a record are indented to the first") {
  CHECK(text_line(record_of(0, "one\ntwo\nthree")) ==
        "[    0.000000] one\n               two\n               three\n");
  CHECK(text_line(record_of(123'456'000'000'000, "one\ntwo")) ==
        "[123456.000000] one\n                two\n");
}

TEST_CASE("text: an empty record is an empty line, one whose text is lost is none") {
  CHECK(text_line(record_of(5, "")) == "\n");
  LogRecord lost = record_of(5, "");
  lost.state = LogRecord::State::TextLost;
  CHECK(text_line(lost).empty());
}

TEST_CASE("text: no byte that steers a terminal is left, in any locale") {
  for (const char* name : {"C", "C.UTF-8"}) {
    CAPTURE(name);
    const Locale locale(name);
    CHECK(text_line(record_of(0, "\x1b[2J\a\b")) == "[    0.000000] \\x1b[2J\\x07\\x08\n");
    CHECK(text_line(record_of(0, std::string("a\0b", 3))) == "[    0.000000] a\\x00b\n");
    CHECK(text_line(record_of(0, "\x7f")) == "[    0.000000] \\x7f\n");
    CHECK(text_line(record_of(0,
                              "\xc2\x9b"
                              "31m")) == "[    0.000000] \\xc2\\x9b31m\n");
  }
}

TEST_CASE("text: tabs and other white space stay, as in dmesg") {
  CHECK(text_line(record_of(0, "a\tb\rc\vd")) == "[    0.000000] a\tb\rc\vd\n");
}

TEST_CASE("text: on a terminal nothing moves the cursor but a tab and the end of a line") {
  TextStyle style;
  style.for_terminal = true;
  CHECK(text_line(record_of(0, "a\tb\rc\vd\fe\nf"), style) ==
        "[    0.000000] a\tb\\x0dc\\x0bd\\x0ce\n               f\n");
  style.escape = false;  // --noescape
  CHECK(text_line(record_of(0, "a\rb"), style) == "[    0.000000] a\rb\n");
}

TEST_CASE("text: UTF-8 is printed where the locale has it") {
  {
    const Locale locale("C.UTF-8");
    CHECK(text_line(record_of(0, "caf\xc3\xa9")) == "[    0.000000] caf\xc3\xa9\n");
    CHECK(text_line(record_of(0, "\xc3")) == "[    0.000000] \\xc3\n");
    CHECK(text_line(record_of(0, "\xff\xc3\xa9")) == "[    0.000000] \\xff\xc3\xa9\n");
  }
  CHECK(text_line(record_of(0, "caf\xc3\xa9")) == "[    0.000000] caf\\xc3\\xa9\n");
}

TEST_CASE("text: a byte that is no text is escaped wherever in a line it stands") {
  constexpr std::size_t length = 20;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool is_shown = (byte >= ' ' && byte <= '~') || byte == '\t';
    const bool is_space = byte == '\n' || byte == '\v' || byte == '\f' || byte == '\r';
    if (is_space) continue;  // of which each has its own rule
    const std::string shown =
        is_shown ? std::string(1, static_cast<char>(byte)) : fmt::format("\\x{:02x}", byte);
    std::string expected;
    std::string found;
    for (std::size_t place = 0; place < length; ++place) {
      std::string text(length, '~');
      text[place] = static_cast<char>(byte);
      found += text_line(record_of(0, text));
      expected += "[    0.000000] " + text.substr(0, place) + shown + text.substr(place + 1) + "\n";
    }
    CHECK(found == expected);
  }
}

TEST_CASE("text: a backslash is not escaped, so that text stays what the kernel said") {
  CHECK(text_line(record_of(0, "\\x41")) == "[    0.000000] \\x41\n");
}

TEST_CASE("text: records in order, nothing between them") {
  SampleReport report;
  report.records = {record_of(0, "a"), record_of(1000, "b")};
  CHECK(written(report, "text") == "[    0.000000] a\n[    0.000001] b\n");
}

TEST_CASE("text: recovered records and text that is no record are sections of their own") {
  SampleReport report;
  report.records = {record_of(0, "Linux version"), record_of(0, "later")};
  report.records[0].origin = LogRecord::Origin::StaticBuffer;
  report.records[1].seq = 500;
  UnloggedText nmi;
  nmi.source = UnloggedText::Source::NmiBuffer;
  nmi.cpu = 1;
  nmi.text = "NMI backtrace";
  UnloggedText more = nmi;
  more.text = "RIP: \x1b[0m";
  report.unlogged = {nmi, more};
  CHECK(written(report, "text") ==
        "-- kept in the buffer of early boot, since lost by the log --\n"
        "[    0.000000] Linux version\n"
        "-- the log, from record 500 on --\n"
        "[    0.000000] later\n"
        "-- not in the log yet: CPU 1, printk in an NMI --\n"
        "NMI backtrace\n"
        "RIP: \\x1b[0m\n");
}

TEST_CASE("text: -x puts facility and level in columns, -r the number in front") {
  LogRecord record = record_of(1'500'000'000, "one\ntwo");
  record.facility = 3;
  record.level = 4;
  TextStyle decode;
  decode.decode = true;
  CHECK(text_line(record, decode) ==
        "daemon:warn  : [    1.500000] one\n                              two\n");
  TextStyle raw;
  raw.raw = true;
  CHECK(text_line(record, raw) == "<28>[    1.500000] one\n                   two\n");
  record.facility = 24;  // dmesg decodes no facility without a name
  record.text = "one";
  CHECK(text_line(record, decode) == "[    1.500000] one\n");
}

TEST_CASE("text: -p repeats the prefix on every line that is not empty") {
  const LogRecord record = record_of(1'500'000'000, "one\n\ntwo\n");
  TextStyle style;
  style.force_prefix = true;
  CHECK(text_line(record, style) == "[    1.500000] one\n[    1.500000] two\n");
  style.raw = true;
  CHECK(text_line(record, style) == "<0>[    1.500000] one\n<0>[    1.500000] two\n");
}

TEST_CASE("text: --noescape leaves bytes as they are, and still indents") {
  TextStyle style;
  style.escape = false;
  CHECK(text_line(record_of(0, "\x1b[m\xff\nb"), style) ==
        "[    0.000000] \x1b[m\xff\n               b\n");
}

TEST_CASE("text: colors of time, subsystem and level") {
  TextStyle style;
  style.color = true;
  LogRecord record = record_of(0, "usb 1-1: gone");
  record.level = 3;
  CHECK(text_line(record, style) ==
        "\x1b[32m[    0.000000] \x1b[0m\x1b[33musb 1-1: \x1b[0m\x1b[31mgone\x1b[0m\n");
  record.level = 6;
  CHECK(text_line(record, style) == "\x1b[32m[    0.000000] \x1b[0m\x1b[33musb 1-1: \x1b[0mgone\n");
  record.text = "a[1]: segfault at 0";
  CHECK(text_line(record, style) ==
        "\x1b[32m[    0.000000] \x1b[0m\x1b[33ma[1]: \x1b[0m\x1b[2m\x1b[31msegfault at 0\x1b[0m\n");
  record.text = "no:subsystem: ";
  CHECK(text_line(record, style) == "\x1b[32m[    0.000000] \x1b[0mno:subsystem: \n");
  for (const auto& [level, color] :
       {std::pair{1, "\x1b[7m\x1b[31m"}, {2, "\x1b[1m\x1b[31m"}, {4, "\x1b[1m"}}) {
    record.level = static_cast<std::uint8_t>(level);
    record.text = "x";
    CHECK(text_line(record, style) ==
          std::string("\x1b[32m[    0.000000] \x1b[0m") + color + "x\x1b[0m\n");
  }
}

TEST_CASE("text: in color, a minute's first record has a color of its own") {
  SampleReport report;
  report.guest.clock = sample_clock;
  report.style.times = {TimeFormat::Reltime};
  report.style.color = true;
  report.records = {record_of(0, "a"), record_of(1000, "b")};
  const std::string text = written(report, "text");
  CHECK(text.starts_with("\x1b[32m\x1b[1m["));
  CHECK(text.ends_with("\n\x1b[32m[  +0.000000] \x1b[0mb\n"));
}

}  // namespace photon_dmesg::test
