#include "report/info.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/sample_report.h"

namespace photon_dmesg::test {
namespace {

InfoReport full_report() {
  InfoReport report;
  report.files = {{"vm.vmss", "VMware checkpoint", 1000}};
  CheckpointInfo info;
  info.magic = 0xbed2bed2;
  info.meaning = "checkpoint";
  info.version = 8;
  info.product = "VMware ESX";
  info.product_version = "7.0.3";
  info.groups = {{"cpu", 100, 200, false}, {"memory", 200, 300, true}};
  info.memory = MemoryDescription{{{0, 0, 16}}, std::nullopt, 65536, 1, std::nullopt};
  report.checkpoint = info;
  Vcpu vcpu;
  vcpu.x86.rip = GuestVirtual{0xffffffff81000010};
  vcpu.x86.cs = std::uint16_t{0x10};
  vcpu.x86.cr[3] = 0x2000;
  report.registers.resize(2);
  report.registers[0].registers = vcpu;
  report.registers[0].place = SymbolPlace{"panic", 0x10};
  report.memory_ranges = {{{0}, 65536}};
  const SampleReport sample = sample_report();
  report.guest = sample.guest;
  report.guest->memory_bytes = 65536;
  GuestClock clock{1'000'000'000, 3'500'000'000};
  clock.raw_nsec = 2'625'000'000;
  clock.sleep_nsec = 0;
  report.guest->clock = clock;
  report.source = sample.source;
  report.warnings = {"a warning"};
  report.problems = {"a problem with a \x1b control"};
  return report;
}

std::string text_of(const InfoReport& report) {
  std::ostringstream out;
  write_info_text(report, out);
  return out.str();
}

nlohmann::json json_of(const InfoReport& report) {
  std::ostringstream out;
  write_info_json(report, out);
  return nlohmann::json::parse(out.str());
}

}  // namespace

TEST_CASE("info text: one fact a line, nothing that steers a terminal") {
  CHECK(text_of(full_report()) ==
        "file         vm.vmss: VMware checkpoint, 1000 bytes\n"
        "checkpoint   checkpoint, magic 0xbed2bed2, version 8\n"
        "product      VMware ESX 7.0.3\n"
        "groups       2: cpu memory (cut off)\n"
        "configured   1 MiB\n"
        "region       PPN 0x0, 0x10 pages, page 0x0 of the image\n"
        "vCPU 0       RIP 0xffffffff81000010, panic+0x10, kernel mode, CR3 0x2000\n"
        "vCPU 0       no registers\n"
        "memory       65536 bytes in dir/vm.vmem: physical 0x0 to 0x10000\n"
        "release      6.1.10-1.ph5\n"
        "banner       Linux version 6.1.10\n"
        "architecture x86_64\n"
        "build_id     00ff\n"
        "kaslr_offset 0x1a000000\n"
        "phys_base    0x2000000\n"
        "hostname     web-1\n"
        "boot_id      01234567-89ab-4cde-8f01-23456789abcd\n"
        "vm           Photon (old)\n"
        "boot         1970-01-01T00:00:01.000000Z\n"
        "stopped      1970-01-01T00:00:03.500000Z\n"
        "uptime       2.500 s\n"
        "drift        0.125 s\n"
        "sleep        0.000 s\n"
        "source       photon.iso: RPMS/linux.rpm: /usr/vmlinux\n"
        "problem      a problem with a \\x1b control\n");
}

TEST_CASE("info text: what is not known is not mentioned") {
  InfoReport report;
  report.files = {{"photon.iso", "ISO image", 5}};
  CHECK(text_of(report) == "file         photon.iso: ISO image, 5 bytes\n");
}

TEST_CASE("info JSON: the same facts, null for what is not known") {
  const nlohmann::json found = json_of(full_report());
  CHECK(found["files"][0]["kind"] == "VMware checkpoint");
  CHECK(found["checkpoint"]["magic"] == "0xbed2bed2");
  CHECK(found["checkpoint"]["memory"]["regions"][0]["pages"] == 16);
  CHECK(found["checkpoint"]["groups"][1]["truncated"] == true);
  CHECK(found["checkpoint"]["memory"]["block"].is_null());
  CHECK(found["registers"][0]["symbol"] == "panic+0x10");
  CHECK(found["registers"][1]["rip"].is_null());
  CHECK(found["memory_ranges"] == nlohmann::json{{{"begin", "0x0"}, {"size", 65536}}});
  CHECK(found["guest"]["clock"]["uptime_nsec"] == 2'500'000'000);
  CHECK(found["warnings"] == nlohmann::json{"a warning"});
  CHECK(found["problems"].size() == 1);
  const nlohmann::json empty = json_of({});
  for (const char* key : {"guest", "source", "checkpoint"}) CHECK(empty[key].is_null());
  for (const char* key : {"files", "registers", "memory_ranges", "warnings", "problems"}) {
    CHECK(empty[key] == nlohmann::json::array());
  }
  CHECK_FALSE(empty.contains("tags"));
}

TEST_CASE("info: registers are those of the vCPU's architecture, in their order") {
  InfoReport report;
  report.registers.resize(2);
  Vcpu& arm64 = report.registers[0].registers;
  arm64.machine = Machine::Aarch64;
  arm64.arm64.pc = GuestVirtual{0xffff800008015bf4};
  arm64.arm64.pstate = 0x80000005;
  arm64.arm64.ttbr1 = 0x8157b000;
  report.registers[0].place = SymbolPlace{"panic", 0x10};
  Vcpu& x86 = report.registers[1].registers;
  x86.index = 1;
  x86.x86.rip = GuestVirtual{0x401000};
  x86.x86.cs = std::uint16_t{0x33};
  x86.x86.cr[3] = 0x2000;
  CHECK(text_of(report) ==
        "vCPU 0       PC 0xffff800008015bf4, panic+0x10, kernel mode, TTBR1_EL1 0x8157b000\n"
        "vCPU 1       RIP 0x401000, user mode, CR3 0x2000\n");
  std::ostringstream out;
  write_info_json(report, out);
  const auto found = nlohmann::ordered_json::parse(out.str())["registers"];
  CHECK(found[0].dump() ==
        R"({"index":0,"pc":"0xffff800008015bf4","symbol":"panic+0x10","pstate":"0x80000005",)"
        R"("ttbr1_el1":"0x8157b000","task":null,"frames":[]})");
  CHECK(found[1].dump() ==
        R"({"index":1,"rip":"0x401000","symbol":null,"cs":51,"cr3":"0x2000","task":null,)"
        R"("frames":[]})");
}

TEST_CASE("info JSON: guest and source are those of the log's document") {
  SampleReport sample = sample_report();
  sample.guest.clock = sample_clock;
  sample.guest.banner = "Linux \xff\x1b";
  InfoReport report;
  report.guest = sample.guest;
  report.source = sample.source;
  const nlohmann::json info = json_of(report);
  const nlohmann::json log = nlohmann::json::parse(written(sample, "json"));
  for (const char* key : {"guest", "source"}) CHECK(info[key] == log[key]);
  CHECK(info["schema"]["version"] == log["schema"]["version"]);
  CHECK(info["schema"]["name"] == "photon-dmesg-info");
}

TEST_CASE("info: tags by group, name and indices") {
  InfoReport report;
  report.tags = {
      {"cpu", {"rip", {0}, CheckpointTag::Encoding::Inline, 100, 8}, 0x1234, {}},
      {"Snapshot", {"cfgFile", {}, CheckpointTag::Encoding::PlainBlock, 200, 50}, {}, "a\nb"}};
  CHECK(text_of(report) ==
        "tag          cpu/rip[0] = 0x1234\n"
        "tag          Snapshot/cfgFile: 50 bytes at 0xc8: \"a\\x0ab\"\n");
  CHECK(json_of(report)["tags"][0]["number"] == 0x1234);
}

}  // namespace photon_dmesg::test
