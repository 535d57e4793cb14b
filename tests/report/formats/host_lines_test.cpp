#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/sample_report.h"

// What a guest sent to its host, in the formats that have a place for it.
namespace photon_dmesg::test {
namespace {

using Json = nlohmann::json;

SampleReport report_with_line() {
  SampleReport report = sample_report();
  report.guest.clock = sample_clock;
  report.host_lines = {sample_host_line()};
  return report;
}

// Of a guest whose memory is gone.
SampleReport line_alone() {
  SampleReport report;
  report.generator = "photon-dmesg 1.2.3";
  report.knows_guest = false;
  report.host_lines = {sample_host_line()};
  return report;
}

Json last_line(const std::string& text) {
  std::istringstream in(text);
  Json last;
  for (std::string line; std::getline(in, line);) last = Json::parse(line);
  return last;
}

TEST_CASE("text: what the guest sent to its host is a section of its own, with the host's times") {
  SampleReport report = report_with_line();
  HostLine& other = report.host_lines.emplace_back(sample_host_line());
  other.file = "dir/vmware-1.log";
  other.text = "\x1b[31m";
  CHECK(written(report, "text") ==
        "[    1.234567] plain\n"
        "-- not in the log: sent to the host, with the host's times, from dir/vmware.log --\n"
        "2026-11-23T17:34:32.500Z [   20.000001] Kernel panic - not syncing: it was\n"
        "-- not in the log: sent to the host, with the host's times, from dir/vmware-1.log --\n"
        "2026-11-23T17:34:32.500Z [   20.000001] \\x1b[31m\n");
}

TEST_CASE("text: what the guest sent alone has no section, -x and -r as of records") {
  SampleReport report = line_alone();
  CHECK(written(report, "text") ==
        "2026-11-23T17:34:32.500Z [   20.000001] Kernel panic - not syncing: it was\n");
  report.style.decode = true;
  CHECK(written(report, "text") ==
        "2026-11-23T17:34:32.500Z kern  :emerg : [   20.000001] Kernel panic - not syncing: it "
        "was\n");
  report.style.raw = true;
  CHECK(written(report, "text") == "<0>[   20.000001] Kernel panic - not syncing: it was\n");
}

TEST_CASE("json: what the guest sent to its host stands behind all else, with its source") {
  const Json document = Json::parse(written(report_with_line(), "json"));
  const Json expected = {{"source", "vmware.log"},
                         {"file", "dir/vmware.log"},
                         {"host_time", "2026-11-23T17:34:32.500Z"},
                         {"thread", "vcpu-0"},
                         {"msg", "Kernel panic - not syncing: it was"},
                         {"ts_nsec", 20'000'001'000},
                         {"level", "emerg"},
                         {"facility", "kern"}};
  CHECK(document.at("host_log") == Json::array({expected}));
  CHECK(document.at("dmesg").size() == 1);
  CHECK(document.at("unlogged").empty());
  CHECK_FALSE(Json::parse(written(sample_report(), "json")).contains("host_log"));
  SampleReport with_text = report_with_line();
  with_text.unlogged.emplace_back().text = "text";
  const Json both = Json::parse(written(with_text, "json"));
  CHECK(both.at("unlogged").size() == 1);
  CHECK(both.at("host_log") == document.at("host_log"));
}

TEST_CASE("json: of what the guest sent alone, guest and source are null") {
  const Json document = Json::parse(written(line_alone(), "json"));
  CHECK(document.at("guest").is_null());
  CHECK(document.at("source").is_null());
  CHECK(document.at("dmesg").empty());
  CHECK(document.at("host_log").size() == 1);
  const Json line = last_line(written(line_alone(), "ndjson"));
  for (const char* key : {"release", "boot_time", "vm", "checkpoint"})
    CHECK(line.at(key).is_null());
  CHECK(line.at("timestamp") == "2026-11-23T17:34:32.500000Z");
}

TEST_CASE("ndjson, ecs and otlp: a line that the guest sent has the host's time") {
  const Json line = last_line(written(report_with_line(), "ndjson"));
  CHECK(line.at("source") == "vmware.log");
  CHECK(line.at("timestamp") == "2026-11-23T17:34:32.500000Z");
  CHECK(line.at("checkpoint") == "vm.vmss");
  const Json ecs = last_line(written(report_with_line(), "ecs"));
  CHECK(ecs.at("@timestamp") == "2026-11-23T17:34:32.500000Z");
  CHECK(ecs.at("event").at("dataset") == "photon_dmesg.host_log");
  CHECK(ecs.at("log").at("file").at("path") == "dir/vmware.log");
  CHECK(ecs.at("log").at("level") == "emerg");
  CHECK(ecs.at("labels").at("ts_nsec") == "20000001000");
  const Json otlp = Json::parse(written(report_with_line(), "otlp"))
                        .at("resourceLogs")[0]
                        .at("scopeLogs")[0]
                        .at("logRecords")
                        .back();
  CHECK(otlp.at("observedTimeUnixNano") == "1795455272500000000");
  CHECK(otlp.at("timeUnixNano") == "1795455272404973000");  // 20.000001 s after boot
  CHECK(otlp.at("attributes")[0].at("value").at("stringValue") == "host-log");
  CHECK_FALSE(Json::parse(written(line_alone(), "ecs")).at("host").at("os").contains("kernel"));
}

}  // namespace
}  // namespace photon_dmesg::test
