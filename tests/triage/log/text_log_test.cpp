#include "triage/log/text_log.h"

#include <catch2/catch.hpp>
#include <span>

#include "base/byte_source.h"
#include "base/file_stream.h"
#include "triage/log/trace_frame.h"

namespace photon_dmesg {
namespace {

TextLogSigns read(const std::string& text, const RecordSink& sink) {
  const BufferSource source("log", std::as_bytes(std::span(text)));
  FileStream input(source);
  return read_text_log(input, sink);
}

std::vector<LogRecord> records_of(const std::string& text) {
  std::vector<LogRecord> records;
  read(text, [&](LogRecord record) {
    records.push_back(std::move(record));
    return true;
  });
  return records;
}

TextLogSigns signs_of(const std::string& text) {
  return read(text, [](const LogRecord&) { return true; });
}

LogRecord record_of(const std::string& line) {
  const std::vector<LogRecord> records = records_of(line);
  REQUIRE(records.size() == 1);
  return records.front();
}

TEST_CASE("text log: what stands before a text becomes time, caller, level and facility") {
  const LogRecord console = record_of("<4>[   12.345678][  T123] a text\r\n");
  CHECK(console.text == "a text");
  CHECK(console.ts_nsec == 12'345'678'000);
  REQUIRE(console.caller);
  CHECK(console.caller->kind == LogCaller::Kind::Task);
  CHECK(console.caller->id == 123);
  CHECK(console.level == 4);
  CHECK(console.facility == 0);

  const LogRecord cpu = record_of("[    0.000001] [    C1]  foo+0x1/0x2");
  CHECK(cpu.caller->kind == LogCaller::Kind::Cpu);
  CHECK(cpu.text == " foo+0x1/0x2");

  const LogRecord names = record_of("daemon:err   : [    3.000000] systemd[1]: x");
  CHECK(names.facility == 3);
  CHECK(names.level == 3);
  CHECK(names.text == "systemd[1]: x");

  const LogRecord user = record_of("<14>[    3.000000] said by a program");
  CHECK(user.facility == 1);
  CHECK(user.level == 6);

  CHECK(record_of("[Sun Nov 29 01:50:12 2026] a text").text == " a text");
  const LogRecord delta = record_of("[    5.250000 <    0.000123>] a text");
  CHECK(delta.ts_nsec == 5'250'000'000);
  CHECK(delta.text == "a text");
  for (const char* line :
       {"[Nov29 01:50] a text", "[  +0.000012] a text", "[<    0.000123>] a text",
        "[Sun Nov 29 01:50:12 2026 <    0.000123>] a text"}) {
    CHECK(record_of(line).text == " a text");
  }
  CHECK(record_of("** 4491 printk messages dropped ** [   50.750742] x").text == "x");
  CHECK(record_of("[drm:foo] *ERROR* x").text == "[drm:foo] *ERROR* x");
  CHECK(record_of("\x1b[31mred\x1b[0m").text == "red");
}

TEST_CASE("text log: of a syslog's lines those that are tagged so are the kernel's") {
  for (const char* before :
       {"Nov 29 01:50:12 web-1 kernel: ", "Nov  9 01:50:12.123456 web-1 kernel: ",
        "2026-11-29T01:50:12.123456+00:00 web-1 kernel: ",
        "2026-11-29T01:50:12+0000 web-1 kernel: ", "2026-11-29T01:50:12Z kernel: ",
        "Nov 29 01:50:12 kernel: ", "Nov 29 01:50:12 web-1 kernel[0]: ",
        "Sun 2026-11-29 01:50:12 UTC web-1 kernel: ",
        "Nov 29 01:50:12 web-1 kern.emerg kernel: "}) {
    CAPTURE(before);
    for (const std::string text : {"Kernel panic - not syncing: x", "NMI watchdog: BUG: x"}) {
      const LogRecord record = record_of(before + text);
      CHECK(record.text == text);
      CHECK(record.facility == 0);
      const LogRecord timed = record_of(before + ("[   12.000000] " + text));
      CHECK(timed.text == text);
      CHECK(timed.ts_nsec == 12'000'000'000);
    }
  }
  const LogRecord journal = record_of("[   12.000000] web-1 kernel: a text");
  CHECK(journal.text == "a text");
  CHECK(journal.ts_nsec == 12'000'000'000);
  CHECK(record_of("[   12.000000] web-1 systemd[1]: x").facility == 3);
  CHECK(record_of("[   12.000000] sd 0:0:0:0: [sda] x").text == "sd 0:0:0:0: [sda] x");
  CHECK(record_of("Nov 29 01:50:12 web-1 app[12]: BUG: x").facility == 1);
  CHECK(record_of("Nov 29 01:50:12.123456 web-1 app[12]: BUG: x").facility == 1);
  CHECK(record_of("Nov 29 01:50:12 web-1 systemd[1]: x").facility == 3);
  CHECK(record_of("Nov 29 01:50:12 web-1 user.info app: x").facility == 1);
}

TEST_CASE("text log: behind a time of day alone the kernel's own words begin") {
  for (const char* before :
       {"2026-11-29T01:50:12,643976+00:00 ", "2026-11-29T01:50:12Z ", "2026-11-29 01:50:12 ",
        "[2026-11-29 01:50:12] ", "[2026-11-29 01:50:12.123]", "Nov 29 01:50:12 ",
        "2026-11-29T01:50:12Z [   12.000000] ", "[2026-11-29 01:50:12] [   12.000000] ",
        "Nov 29 01:50:12 web-1 [   12.000000] "}) {
    for (const std::string text :
         {"Kernel panic - not syncing: x", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
          "NMI watchdog: BUG: soft lockup", "INFO: task sh:12 blocked for more than 120 seconds.",
          "Internal error: Oops: 96000004", "Call Trace:", "app[12]: segfault at 0"}) {
      CAPTURE(before, text);
      const LogRecord record = record_of(before + text);
      CHECK(record.text == text);
      CHECK(record.facility == 0);
    }
  }
}

TEST_CASE("text log: a program without a number is one where the host is known") {
  const std::string app = "Nov 29 01:50:13 web-1 app: BUG: x";
  CHECK(record_of(app).text == "web-1 app: BUG: x");
  for (const char* first :
       {"Nov 29 01:50:12 web-1 kernel: a\n", "Nov 29 01:50:12 web-1 sshd[9]: a\n"}) {
    const std::vector<LogRecord> records = records_of(first + app);
    REQUIRE(records.size() == 2);
    CHECK(records[1].facility == 1);
    CHECK(records[1].text == "app: BUG: x");
  }
}

TEST_CASE("text log: whether it has times since boot, and is one of a kernel's at all") {
  CHECK(signs_of("[   12.000000] a").has_times);
  CHECK(signs_of("[   12.000000] a").is_of_kernel);
  CHECK(records_of("[   12.000000] a\nlogin: [   50.750742] a")[1].ts_nsec == 50'750'742'000);
  for (const char* timeless :
       {"[Sun Nov 29 01:50:12 2026] a", "[  +0.000012] a", "<6>a",
        "2026-11-29T01:50:12,643976+00:00 a", "Nov 29 01:50:12 h kernel: a"}) {
    CAPTURE(timeless);
    CHECK_FALSE(signs_of(timeless).has_times);
    CHECK(signs_of(timeless).is_of_kernel);
  }
  for (const char* other : {"", "a\nb\n", "Nov 29 01:50:12 web-1 app[12]: x", "\x1f\x8b\x08"}) {
    CHECK_FALSE(signs_of(other).is_of_kernel);
  }
}

TEST_CASE("text log: a line without a time has that of the line before it") {
  const std::vector<LogRecord> records = records_of("first\n[    2.500000] a\nb\n\nc");
  REQUIRE(records.size() == 5);
  CHECK(records[0].ts_nsec == 0);
  CHECK(records[2].ts_nsec == 2'500'000'000);
  CHECK(records[4].text == "c");
  CHECK(records[4].seq == 5);
}

TEST_CASE("text log: a line is kept up to 64 KiB, and reading ends when nobody wants more") {
  CHECK(record_of(std::string(200'000, 'x')).text.size() == 65536);
  int count = 0;
  read("a\nb\nc\n", [&](const LogRecord&) { return ++count < 2; });
  CHECK(count == 2);
}

TEST_CASE("A line of a trace is taken apart in each kernel's form") {
  const char* const line =
      GENERATE("[<ffffffff812004d7>] ? foo.isra.0+0x37/0x110 [lab]",
               " ? foo.isra.0+0x37/0x110 [lab]", "? foo.isra.0+0x37/0x110 [lab] mm/foo.c:12");
  CAPTURE(line);
  const std::optional<TraceFrame> frame = parse_trace_frame(line);
  REQUIRE(frame);
  CHECK(frame->symbol == "foo.isra.0");
  CHECK_FALSE(frame->reliable);
  CHECK(describe(*frame) == "foo.isra.0+0x37/0x110 [lab]");
}

TEST_CASE("ARM and PowerPC name the caller behind the callee or behind addresses") {
  CHECK(parse_trace_frame("[<818fce00>] (dump_stack) from [<818e021c>] (panic+0x120/0x358)")
            ->symbol == "panic");
  CHECK(parse_trace_frame("[c00000003ae5b860] [c00000000016ab98] panic+0x1cc/0x534")->symbol ==
        "panic");
  CHECK(parse_trace_frame("<a::B as c::D>::e+0x1/0x2")->symbol == "<a::B as c::D>::e");
}

TEST_CASE("What is no line of a trace is none") {
  const char* const line =
      GENERATE("", "?", "[<", "foo", "foo+0x", "foo+0xzz", "foo bar+0x1/0x2", "0x0+0x1/0x2",
               "RSP: 0018:ffff880066befc88  EFLAGS: 00010006", "+0x1/0x2", "[<xyz>] foo");
  CAPTURE(line);
  CHECK_FALSE(parse_trace_frame(line));
}

TEST_CASE("Marks say on which stack the lines behind them are") {
  std::string_view line = " <IRQ>  [<ffffffff816efb87>] foo+0x1/0x2";
  CHECK(take_stack_mark(line) == "IRQ");
  CHECK(line == "[<ffffffff816efb87>] foo+0x1/0x2");
  line = " </IRQ>";
  CHECK(take_stack_mark(line) == "");
  line = " <EOI> ";
  CHECK(take_stack_mark(line) == "");
  line = "<#DF>";
  CHECK(take_stack_mark(line) == "#DF");
  line = "<a::B>::c+0x1/0x2";
  CHECK_FALSE(take_stack_mark(line));
}

}  // namespace
}  // namespace photon_dmesg
