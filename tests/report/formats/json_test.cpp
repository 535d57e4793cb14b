#include "report/formats/json.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/sample_report.h"

namespace photon_dmesg::test {
namespace {

using Json = nlohmann::json;

SampleReport report_of(const LogRecord& record) {
  SampleReport report = sample_report();
  report.records = {record};
  return report;
}

Json document_of(const SampleReport& report) {
  return Json::parse(written(report, "json"));  // throws unless it is valid UTF-8
}

Json record_of(const LogRecord& record) {
  return document_of(report_of(record))["dmesg"][0];
}

}  // namespace

TEST_CASE("json: a record has dmesg's keys and the exact values beside them") {
  CHECK(record_of(sample_record()) == Json{{"pri", 29},
                                           {"time", 1.234567},
                                           {"msg", "plain"},
                                           {"seq", 42},
                                           {"ts_nsec", 1'234'567'891},
                                           {"level", "notice"},
                                           {"facility", "daemon"}});
}

TEST_CASE("json: the largest numbers are not rounded") {
  LogRecord record = sample_record();
  record.seq = record.ts_nsec = ~std::uint64_t{0};
  CHECK(record_of(record)["seq"] == ~std::uint64_t{0});
  CHECK(record_of(record)["ts_nsec"] == ~std::uint64_t{0});
}

TEST_CASE("json: caller, dictionary and state are there where the record has them") {
  LogRecord record = sample_record();
  record.caller = LogCaller{LogCaller::Kind::Task, 12};
  record.dictionary = {{"SUBSYSTEM", "pci"}, {"DEVICE", "+pci:0000\n\\\xc3\xa9"}};
  record.state = LogRecord::State::Reopened;
  const Json json = record_of(record);
  CHECK(json["caller"] == "T12");
  CHECK(json["dict"] == Json{{"SUBSYSTEM", "pci"}, {"DEVICE", "+pci:0000\\x0a\\x5c\\xc3\\xa9"}});
  CHECK(json["state"] == "reopened");
  record.caller = LogCaller{LogCaller::Kind::Cpu, 0};
  CHECK(record_of(record)["caller"] == "C0");
}

TEST_CASE("json: every state but the ordinary one has a name of its own") {
  using State = LogRecord::State;
  for (const auto& [state, name] : {std::pair{State::Partial, "partial"},
                                    {State::Reopened, "reopened"},
                                    {State::TextLost, "text-lost"},
                                    {State::Truncated, "truncated"}}) {
    LogRecord record = sample_record();
    record.state = state;
    CHECK(record_of(record)["state"] == name);
  }
}

TEST_CASE("json: a byte that is no UTF-8 is escaped, and the exact bytes are there in base64") {
  LogRecord record = sample_record();
  record.text = "caf\xe9 \xff";
  CHECK(record_of(record)["msg"] == "caf\\xe9 \\xff");
  CHECK(record_of(record)["raw"] == "Y2Fm6SD/");
  record.text = "caf\xc3\xa9 \x1b[m\n\\x41";
  CHECK(record_of(record)["msg"] == record.text);
  CHECK_FALSE(record_of(record).contains("raw"));
}

TEST_CASE("json: any single byte makes a valid document") {
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    LogRecord record = sample_record();
    record.text = std::string(1, static_cast<char>(byte));
    CHECK(record_of(record).contains("raw") == (byte >= 0x80));
  }
}

TEST_CASE("json: a terminal that it is printed to finds nothing to obey") {
  LogRecord record = sample_record();
  for (unsigned point = 0; point < 0xa0; ++point) {
    if (point >= 0x80) record.text += '\xc2';
    record.text += static_cast<char>(point);
  }
  record.text += "caf\xc3\xa9 \xc2\xa0";
  std::string text = written(report_of(record), "ndjson");
  CHECK(text.back() == '\n');
  text.pop_back();
  CHECK(std::none_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
  for (std::size_t at = text.find('\xc2'); at != std::string::npos;
       at = text.find('\xc2', at + 1)) {
    CHECK(static_cast<unsigned char>(text[at + 1]) >= 0xa0);
  }
  CHECK(Json::parse(text)["msg"] == record.text);
}

TEST_CASE("json: guest, source, warnings and schema stand beside the records") {
  SampleReport report = report_of(sample_record());
  report.warnings = {"something \xff is odd"};
  const Json json = document_of(report);
  CHECK(json["schema"] == Json{{"name", "photon-dmesg"}, {"version", 2}});
  CHECK(json["guest"] == Json{{"release", "6.1.10-1.ph5"},
                              {"banner", "Linux version 6.1.10"},
                              {"build_id", "00ff"},
                              {"architecture", "x86_64"},
                              {"kaslr_offset", "0x1a000000"},
                              {"phys_base", "0x2000000"},
                              {"vcpus", 2},
                              {"memory_bytes", 1 << 30},
                              {"hostname", "web-1"},
                              {"boot_id", "01234567-89ab-4cde-8f01-23456789abcd"},
                              {"vm", "Photon (old)"},
                              {"clock", nullptr}});
  CHECK(json["source"] == Json{{"checkpoint", "dir/vm.vmss"},
                               {"memory", "dir/vm.vmem"},
                               {"iso", "photon.iso"},
                               {"package", "RPMS/linux.rpm"},
                               {"vmlinux", "/usr/vmlinux"},
                               {"system_map", nullptr},
                               {"boot_image", nullptr},
                               {"symbols_in_memory", nullptr},
                               {"profile", nullptr}});
  CHECK(json["warnings"] == Json{"something \\xff is odd"});
}

TEST_CASE("json: what is not known is null, an empty log an empty array") {
  SampleReport report = report_of(sample_record());
  report.guest.build_id.reset();
  report.guest.identity = {};
  report.guest.vm_name.reset();
  report.source.symbols.iso.reset();
  report.records.clear();
  const Json json = document_of(report);
  for (const char* key : {"build_id", "hostname", "boot_id", "vm"}) {
    CHECK(json["guest"][key].is_null());
  }
  CHECK(json["source"]["iso"].is_null());
  CHECK(json["dmesg"] == Json::array());
}

TEST_CASE("ndjson: a line for each record, which says which guest it is of") {
  SampleReport report = report_of(sample_record());
  LogRecord two_lines = sample_record();
  two_lines.seq = 43;
  two_lines.text = "one\ntwo \xff";
  report.records.push_back(two_lines);
  std::istringstream lines(written(report, "ndjson"));
  std::string line;
  for (const unsigned seq : {42U, 43U}) {
    REQUIRE(std::getline(lines, line));
    const Json json = Json::parse(line);
    CHECK(json["seq"] == seq);
    CHECK(json["release"] == "6.1.10-1.ph5");
    CHECK(json["checkpoint"] == "vm.vmss");
    CHECK(json["vm"] == "Photon (old)");
    CHECK(json["boot_time"].is_null());
    CHECK(json["timestamp"].is_null());
    CHECK(json["schema"] == 2);
  }
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("ndjson: by the guest's clock, when it booted and when the record was logged") {
  SampleReport report = sample_report();
  report.guest.clock = sample_clock;
  const Json json = Json::parse(written(report, "ndjson"));
  CHECK(json["boot_time"] == "2026-11-23T17:34:12.404972Z");
  CHECK(json["timestamp"] == "2026-11-23T17:34:13.639539Z");
}

TEST_CASE("json: the document is laid out as dmesg's, three blanks a level") {
  SampleReport report = sample_report();
  const std::string text = written(report, "json");
  CHECK(text == nlohmann::ordered_json::parse(text).dump(3) + "\n");
  report.records.push_back(sample_record());
  report.unlogged.resize(2);
  report.warnings = {"one", "two"};
  const std::string longer = written(report, "json");
  CHECK(longer == nlohmann::ordered_json::parse(longer).dump(3) + "\n");
}

TEST_CASE("json: the guest's clock is in UTC, or null") {
  SampleReport report = report_of(sample_record());
  CHECK(document_of(report)["guest"]["clock"].is_null());
  report.guest.clock = GuestClock{1'795'455'252'404'972'809, 1'795'455'256'524'000'000};
  CHECK(document_of(report)["guest"]["clock"] ==
        Json{{"realtime_offset_nsec", 1'795'455'252'404'972'000},
             {"boot", "2026-11-23T17:34:12.404972Z"},
             {"stopped", "2026-11-23T17:34:16.524000Z"},
             {"uptime_nsec", 4'119'027'191},
             {"drift_nsec", nullptr},
             {"sleep_nsec", nullptr},
             {"printk_follows", "raw"},
             {"printk_ahead_nsec", nullptr},
             {"steps", Json::array()}});
}

TEST_CASE("json: what moved the guest's clock is told") {
  SampleReport report = report_of(sample_record());
  GuestClock clock{1'000'000'000'000, 1'060'000'000'000};
  clock.raw_nsec = 63'000'000'000;
  clock.sleep_nsec = 8'000'000'000;
  ClockSigns signs;
  LogRecord record;
  record.text = "PM: suspend exit";
  record.ts_nsec = 5'000'000'000;
  signs.add(record);
  report.guest.clock = ClockHistory(clock, signs);
  const Json told = document_of(report)["guest"]["clock"];
  CHECK(told["drift_nsec"] == 3'000'000'000);
  CHECK(told["sleep_nsec"] == 8'000'000'000);
  CHECK(told["uptime_nsec"] == 68'000'000'000);
  CHECK(told["steps"] == Json{{{"cause", "sleep"},
                               {"nsec", 8'000'000'000},
                               {"ts_nsec", 5'000'000'000},
                               {"placed", true},
                               {"until_ts_nsec", nullptr}}});
}

TEST_CASE("json: records before a dmesg -C, behind the consoles, or recovered say so") {
  SampleReport report = report_of(sample_record());
  CHECK_FALSE(document_of(report)["dmesg"][0].contains("cleared"));
  report.positions = {42, 43};
  CHECK_FALSE(document_of(report)["dmesg"][0].contains("cleared"));
  CHECK_FALSE(document_of(report)["dmesg"][0].contains("unprinted"));
  report.positions = {43, 42};
  report.records[0].origin = LogRecord::Origin::StaticBuffer;
  const Json record = document_of(report)["dmesg"][0];
  CHECK(record["cleared"] == true);
  CHECK(record["unprinted"] == true);
  CHECK(record["source"] == "static-buffer");
  CHECK(document_of(report)["positions"] == Json{{"cleared", 43}, {"console", 42}});
}

TEST_CASE("json: text that is no record yet is apart, with what is known of it") {
  SampleReport report = report_of(sample_record());
  CHECK(document_of(report)["unlogged"] == Json::array());
  UnloggedText nmi;
  nmi.source = UnloggedText::Source::NmiBuffer;
  nmi.cpu = 1;
  nmi.text = "NMI backtrace \xff";
  nmi.level = 4;
  UnloggedText cont;
  cont.source = UnloggedText::Source::Cont;
  cont.text = "half";
  cont.ts_nsec = 5;
  UnloggedText reserved;
  reserved.text = "ha";
  reserved.seq = 7;
  report.unlogged = {reserved};
  CHECK(document_of(report)["unlogged"] ==
        Json{{{"source", "reserved"}, {"state", "reserved"}, {"msg", "ha"}, {"seq", 7}}});
  report.unlogged = {nmi, cont};
  const Json document = document_of(report);
  CHECK(document["dmesg"].size() == 1);
  CHECK(document["unlogged"] == Json{{{"source", "nmi_print_seq"},
                                      {"cpu", 1},
                                      {"msg", "NMI backtrace \\xff"},
                                      {"raw", "Tk1JIGJhY2t0cmFjZSD/"},
                                      {"level", "warn"}},
                                     {{"source", "cont"}, {"msg", "half"}, {"ts_nsec", 5}}});
  const std::string text = written(report, "ndjson");
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

}  // namespace photon_dmesg::test
