#include "report/text.h"

#include <catch2/catch.hpp>
#include <clocale>
#include <sstream>

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

TEST_CASE("text: UTF-8 is printed where the locale has it") {
  {
    const Locale locale("C.UTF-8");
    CHECK(text_line(record_of(0, "caf\xc3\xa9")) == "[    0.000000] caf\xc3\xa9\n");
    CHECK(text_line(record_of(0, "\xc3")) == "[    0.000000] \\xc3\n");
    CHECK(text_line(record_of(0, "\xff\xc3\xa9")) == "[    0.000000] \\xff\xc3\xa9\n");
  }
  CHECK(text_line(record_of(0, "caf\xc3\xa9")) == "[    0.000000] caf\\xc3\\xa9\n");
}

TEST_CASE("text: a backslash is not escaped, so that text stays what the kernel said") {
  CHECK(text_line(record_of(0, "\\x41")) == "[    0.000000] \\x41\n");
}

TEST_CASE("text: records in order, nothing between them") {
  Report report;
  report.log.records = {record_of(0, "a"), record_of(1000, "b")};
  std::ostringstream out;
  write_text(report, out);
  CHECK(out.str() == "[    0.000000] a\n[    0.000001] b\n");
}

TEST_CASE("text: recovered records and text that is no record are sections of their own") {
  Report report;
  report.log.records = {record_of(0, "Linux version"), record_of(0, "later")};
  report.log.records[0].origin = LogRecord::Origin::StaticBuffer;
  report.log.records[1].seq = 500;
  UnloggedText nmi;
  nmi.source = UnloggedText::Source::NmiBuffer;
  nmi.cpu = 1;
  nmi.text = "NMI backtrace";
  UnloggedText more = nmi;
  more.text = "RIP: \x1b[0m";
  report.log.unlogged = {nmi, more};
  std::ostringstream out;
  write_text(report, out);
  CHECK(out.str() ==
        "-- kept in the buffer of early boot, since lost by the log --\n"
        "[    0.000000] Linux version\n"
        "-- the log, from record 500 on --\n"
        "[    0.000000] later\n"
        "-- not in the log yet: CPU 1, printk in an NMI --\n"
        "NMI backtrace\n"
        "RIP: \\x1b[0m\n");
}

}  // namespace photon_dmesg::test
