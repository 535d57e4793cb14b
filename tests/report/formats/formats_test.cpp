#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/formats/identifier.h"
#include "support/sample_report.h"

// Formats that other programs read. tests/guest/test_formats.py has those programs read them.
namespace photon_dmesg::test {
namespace {

using Json = nlohmann::json;

// Of a userspace record with a dictionary, bytes that are no text, and the guest's clock.
SampleReport full_report() {
  SampleReport report = sample_report();
  report.guest.clock = sample_clock;
  LogRecord& record = report.records.front();
  record.text = "app[12]: one\ntwo\t\x1b\xff";
  record.dictionary = {{"SUBSYSTEM", "usb"}, {"DEVICE", "c189:1"}};
  record.caller = LogCaller{LogCaller::Kind::Task, 7};
  return report;
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

// Of a record whose time stamp is damaged.
SampleReport damaged_report() {
  SampleReport report = sample_report();
  report.guest.clock = sample_clock;
  report.records.front().ts_nsec = (std::uint64_t{1} << 63) + 5;
  return report;
}

LogRecord lost_text() {
  LogRecord record = sample_record();
  record.state = LogRecord::State::TextLost;
  record.text.clear();
  return record;
}

}  // namespace

TEST_CASE("dmesg -J: byte for byte") {
  SampleReport report = sample_report();
  LogRecord quoted = sample_record();
  quoted.text = "\"a\\b\"\t\n\x1b caf\xc3\xa9";
  report.records.push_back(quoted);
  CHECK(written(report, "dmesg-json") ==
        "{\n   \"dmesg\": [\n"
        "      {\n         \"pri\": 29,\n         \"time\":     1.234567,\n"
        "         \"msg\": \"plain\"\n      },{\n"
        "         \"pri\": 29,\n         \"time\":     1.234567,\n"
        "         \"msg\": \"\\\"a\\\\b\\\"\\t\\n\\u001b caf\xc3\xa9\"\n      }\n   ]\n}\n");
  report.records.resize(1);
  report.style.decode = true;
  CHECK(written(report, "dmesg-json").find("\"fac\": \"daemon\",\n         \"pri\": \"notice\"") !=
        std::string::npos);
}

TEST_CASE("dmesg -J: always JSON, whatever the text, and records without text are left out") {
  SampleReport report = sample_report();
  for (int byte = 0; byte < 256; ++byte) {
    report.records.front().text = "x" + std::string(1, static_cast<char>(byte));
    const Json json = Json::parse(written(report, "dmesg-json"));
    CHECK(json["dmesg"].size() == 1);
  }
  report.records = {lost_text()};
  CHECK(Json::parse(written(report, "dmesg-json"))["dmesg"] == Json::array());
  report.records.clear();
  CHECK(Json::parse(written(report, "dmesg-json"))["dmesg"] == Json::array());
}

TEST_CASE("kmsg: as /dev/kmsg, a NUL behind each record") {
  SampleReport report = full_report();
  using namespace std::string_literals;
  CHECK(written(report, "kmsg") ==
        "29,42,1234567,-;app[12]: one\\x0atwo\\x09\\x1b\\xff\n SUBSYSTEM=usb\n DEVICE=c189:1\n\0"s);
  report.records = {sample_record(), lost_text()};
  report.records.front().continues = true;
  report.records.front().text = "a\\b";
  CHECK(written(report, "kmsg") == "29,42,1234567,c;a\\x5cb\n\0"s);
}

TEST_CASE("kmsg: a record that escapes would make too long for dmesg has only those it needs") {
  SampleReport report = sample_report();
  std::string text;
  for (int i = 0; i < 450; ++i) text += "\xc3\xa9";
  report.records.front().text = text + "\n\\";
  using namespace std::string_literals;
  CHECK(written(report, "kmsg") == "29,42,1234567,-;" + text + "\\x0a\\\n\0"s);
  // A backslash alone stands for nothing else.
  text = std::string(970, '\\');
  report.records.front().text = text + "x41" + text;
  CHECK(written(report, "kmsg") ==
        "29,42,1234567,-;" + text.substr(1) + "\\x5cx41" + text + "\n\0"s);
}

TEST_CASE("kmsg: no record is longer than dmesg takes, and those that were are told") {
  SampleReport report = sample_report();
  report.records.front().text = std::string(990, '\n') + "lost";
  report.records.front().dictionary = {{"DEVICE", "c189:1"}};
  report.records.push_back(sample_record());
  std::ostringstream out;
  const std::unique_ptr<ReportWriter> writer = make_kmsg_writer(report, out);
  for (const LogRecord& record : report.records) writer->write(record, 0);
  const std::string first = out.str().substr(0, out.str().find('\0'));
  CHECK(first.size() <= 2048);
  CHECK_THAT(first, Catch::EndsWith("\\x0a\n"));
  CHECK_THAT(out.str().substr(first.size() + 1), Catch::StartsWith("29,42,1234567,-;plain\n"));
  CHECK(writer->losses() ==
        std::vector<std::string>{"1 record cut to the 2048 bytes that dmesg -K takes, whole in "
                                 "--format json (sequence number 42)"});
}

TEST_CASE("syslog: RFC 5424, one line a record") {
  SampleReport report = full_report();
  CHECK(written(report, "syslog") ==
        "<29>1 2026-11-23T17:34:13.639539Z web-1 app 12 - "
        "[meta sequenceId=\"43\" sysUpTime=\"123\"] one\\x0atwo\\x09\\x1b\\xff\n");
  report.guest.clock.reset();
  report.guest.identity.hostname.reset();
  report.records = {sample_record(), lost_text()};
  report.records.front().facility = 0;
  CHECK(written(report, "syslog") ==
        "<5>1 - - kernel - - [meta sequenceId=\"43\" sysUpTime=\"123\"] plain\n");
}

TEST_CASE("syslog: header fields hold what they may, a facility that syslog lacks is user") {
  SampleReport report = sample_report();
  report.guest.identity.hostname = "a host\n";
  report.records.front().facility = 99;
  report.records.front().text = std::string(60, 'x') + "[]: text";
  CHECK(written(report, "syslog") == "<13>1 - a_host_ " + std::string(48, 'x') +
                                         " - - [meta sequenceId=\"43\" sysUpTime=\"123\"] text\n");
}

TEST_CASE("journal-json: journald's fields, every value a string or the bytes it has") {
  const std::vector<Json> lines = lines_of(written(full_report(), "journal-json"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == Json{{"__REALTIME_TIMESTAMP", "1795455253639539"},
                         {"__MONOTONIC_TIMESTAMP", "1234567"},
                         {"_TRANSPORT", "kernel"},
                         {"_BOOT_ID", "0123456789ab4cde8f0123456789abcd"},
                         {"_HOSTNAME", "web-1"},
                         {"_SOURCE_MONOTONIC_TIMESTAMP", "1234567"},
                         {"_KERNEL_SUBSYSTEM", "usb"},
                         {"_KERNEL_DEVICE", "c189:1"},
                         {"PRIORITY", "5"},
                         {"SYSLOG_FACILITY", "3"},
                         {"SYSLOG_IDENTIFIER", "app"},
                         {"SYSLOG_PID", "12"},
                         {"MESSAGE", {111, 110, 101, 10, 116, 119, 111, 9, 27, 255}}});
}

TEST_CASE("journal-json: what is not known is not there") {
  SampleReport report = sample_report();
  report.guest.identity = {};
  report.records = {sample_record(), lost_text()};
  report.records.front().facility = 0;
  const std::vector<Json> lines = lines_of(written(report, "journal-json"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == Json{{"__MONOTONIC_TIMESTAMP", "1234567"},
                         {"_TRANSPORT", "kernel"},
                         {"_SOURCE_MONOTONIC_TIMESTAMP", "1234567"},
                         {"PRIORITY", "5"},
                         {"SYSLOG_FACILITY", "0"},
                         {"SYSLOG_IDENTIFIER", "kernel"},
                         {"MESSAGE", "plain"}});
}

TEST_CASE("journal-export: a line a field, others with their length in front") {
  SampleReport report = full_report();
  report.records.front().dictionary.clear();
  report.records.front().text = "app: one\ntwo";
  using namespace std::string_literals;
  CHECK(written(report, "journal-export") ==
        "__REALTIME_TIMESTAMP=1795455253639539\n"
        "__MONOTONIC_TIMESTAMP=1234567\n"
        "_TRANSPORT=kernel\n"
        "_BOOT_ID=0123456789ab4cde8f0123456789abcd\n"
        "_HOSTNAME=web-1\n"
        "_SOURCE_MONOTONIC_TIMESTAMP=1234567\n"
        "PRIORITY=5\n"
        "SYSLOG_FACILITY=3\n"
        "SYSLOG_IDENTIFIER=app\n"
        "MESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\n"
        "\n"s);
}

TEST_CASE("ecs: field names of the Elastic Common Schema") {
  SampleReport report = full_report();
  UnloggedText unlogged;
  unlogged.text = "half";
  unlogged.level = 3;
  report.unlogged = {unlogged};
  const std::vector<Json> lines = lines_of(written(report, "ecs"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["@timestamp"] == "2026-11-23T17:34:13.639539Z");
  CHECK(lines[0]["message"] == "app[12]: one\ntwo\t\x1b\\xff");
  CHECK(lines[0]["log"]["level"] == "notice");
  CHECK(lines[0]["log"]["syslog"]["priority"] == 29);
  CHECK(lines[0]["log"]["syslog"]["facility"] == Json{{"code", 3}, {"name", "daemon"}});
  CHECK(lines[0]["log"]["syslog"]["severity"] == Json{{"code", 5}, {"name", "notice"}});
  CHECK(lines[0]["event"]["sequence"] == 42);
  CHECK(lines[0]["host"]["hostname"] == "web-1");
  CHECK(lines[0]["host"]["name"] == "Photon (old)");
  CHECK(lines[0]["host"]["os"]["kernel"] == "6.1.10-1.ph5");
  CHECK(lines[0]["process"]["thread"]["id"] == 7);
  CHECK(lines[0]["labels"]["SUBSYSTEM"] == "usb");
  CHECK(lines[0]["labels"]["raw"] == "YXBwWzEyXTogb25lCnR3bwkb/w==");
  CHECK(lines[1]["event"]["dataset"] == "photon_dmesg.unlogged");
  CHECK(lines[1]["message"] == "half");
  CHECK_FALSE(lines[1].contains("@timestamp"));
}

TEST_CASE("otlp: one request, 64-bit numbers as strings") {
  SampleReport report = full_report();
  report.records.push_back(sample_record());
  const Json request = Json::parse(written(report, "otlp"));
  const Json& logs = request["resourceLogs"][0];
  CHECK(logs["scopeLogs"][0]["scope"] == Json{{"name", "photon-dmesg"}, {"version", "1.2.3"}});
  const Json& records = logs["scopeLogs"][0]["logRecords"];
  REQUIRE(records.size() == 2);
  CHECK(records[0]["timeUnixNano"] == "1795455253639539891");
  CHECK(records[0]["severityNumber"] == 10);
  CHECK(records[0]["severityText"] == "notice");
  CHECK(records[1]["body"] == Json{{"stringValue", "plain"}});
  CHECK(records[1]["attributes"][0] ==
        Json{{"key", "linux.kmsg.seq"}, {"value", {{"intValue", "42"}}}});
  report.guest.clock.reset();
  const Json timeless = Json::parse(written(report, "otlp"));
  CHECK_FALSE(
      timeless["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].contains("timeUnixNano"));
  report.records.clear();
  CHECK(Json::parse(written(report, "otlp"))["resourceLogs"][0]["scopeLogs"][0]["logRecords"] ==
        Json::array());
}

TEST_CASE("A time that can't be told is left out, and no reader gets a number that it can't take") {
  const SampleReport report = damaged_report();
  CHECK_FALSE(lines_of(written(report, "ecs"))[0].contains("@timestamp"));
  CHECK_FALSE(lines_of(written(report, "journal-json"))[0].contains("__REALTIME_TIMESTAMP"));
  CHECK(lines_of(written(report, "ndjson"))[0]["timestamp"].is_null());
  CHECK_THAT(written(report, "syslog"), Catch::StartsWith("<29>1 - web-1"));
  const Json request = Json::parse(written(report, "otlp"));
  const Json& record = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
  CHECK_FALSE(record.contains("timeUnixNano"));
  CHECK(record["attributes"][1] ==
        Json{{"key", "linux.kmsg.ts_nsec"}, {"value", {{"stringValue", "9223372036854775813"}}}});
}

TEST_CASE("journal-export: a time that can't be told is the nearest that a journal takes") {
  SampleReport report = damaged_report();
  CHECK_THAT(written(report, "journal-export"),
             Catch::StartsWith("__REALTIME_TIMESTAMP=9223372036854775\n"));
  report.guest.clock = GuestClock{-5'000'000'000, 60'000'000'000};
  report.records.front().ts_nsec = 1;
  CHECK_THAT(written(report, "journal-export"), Catch::StartsWith("__REALTIME_TIMESTAMP=1\n"));
}

TEST_CASE("otlp: a time of the host's that is before 1970 is none") {
  SampleReport report = sample_report();
  report.host_lines = {sample_host_line()};
  const auto last = [&] {
    const Json request = Json::parse(written(report, "otlp"));
    return request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].back();
  };
  CHECK(last()["observedTimeUnixNano"] == "1795455272500000000");
  report.host_lines.front().host_nsec = -1;
  CHECK_FALSE(last().contains("observedTimeUnixNano"));
}

TEST_CASE("ecs and otlp: a record that is not an ordinary one says so") {
  SampleReport report = sample_report();
  report.records = {lost_text()};
  CHECK(lines_of(written(report, "ecs"))[0]["labels"]["state"] == "text-lost");
  const Json request = Json::parse(written(report, "otlp"));
  CHECK(request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"].back() ==
        Json{{"key", "linux.kmsg.state"}, {"value", {{"stringValue", "text-lost"}}}});
}

TEST_CASE("otlp: severity numbers of every level") {
  SampleReport report = sample_report();
  constexpr std::array numbers = {21, 19, 18, 17, 13, 10, 9, 5};
  for (std::size_t level = 0; level < numbers.size(); ++level) {
    report.records.front().level = static_cast<std::uint8_t>(level);
    const Json request = Json::parse(written(report, "otlp"));
    CHECK(request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["severityNumber"] ==
          numbers.at(level));
  }
}

TEST_CASE("identifier: who wrote a record, as journald tells it") {
  const auto check = [](const char* text, const char* name, const char* pid, const char* message) {
    CAPTURE(text);
    LogRecord record = sample_record();
    record.text = text;
    const Identifier found = parse_identifier(record);
    CHECK(found.name == name);
    CHECK(found.pid == pid);
    CHECK(found.message == message);
  };
  check("systemd[1]: Started.", "systemd", "1", "Started.");
  check("systemd-udevd: text", "systemd-udevd", "", "text");
  check("no identifier: here", "", "", "no identifier: here");
  check("nothing", "", "", "nothing");
  check("name:", "name", "", "");
  check("[5]: odd", "", "5", "odd");
  check("", "", "", "");
  LogRecord kernel = sample_record();
  kernel.facility = 0;
  kernel.text = "usb: text";
  CHECK(parse_identifier(kernel).name == "kernel");
  CHECK(parse_identifier(kernel).message == "usb: text");
}

}  // namespace photon_dmesg::test
