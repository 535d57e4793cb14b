// Work whose instructions scripts/check-instructions counts; hidden from an ordinary run. What is
// checked here is only that the work was done.
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string_view>

#include "base/file_stream.h"
#include "base/input_file.h"
#include "checkpoint/vmware/checkpoint.h"
#include "kernel/symbols/kallsyms_parser.h"
#include "kernel/symbols/vmlinux/needed_sections.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"
#include "support/bytes.h"
#include "support/file_content.h"
#include "support/fixture_guest.h"
#include "support/kallsyms_writer.h"
#include "support/linux_kernel.h"
#include "support/log_writer.h"
#include "support/ring_writer.h"
#include "support/sample_report.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {
namespace {

constexpr int rounds = 100;

void load_package(const char* payload) {
  const Keyring no_keys;
  CollectedDiagnostics diagnostics;
  for (int round = 0; round < rounds; ++round) {
    const InputFile file(std::string(PACKAGE_FOLDER "/") + payload);
    RpmPackage package(std::make_unique<FileStream>(file), no_keys,
                       [](const std::string& mismatch) { throw unusable(mismatch); });
    const auto kernel = find_kernel_file(package.files());
    REQUIRE(kernel);
    const auto content = package.open(kernel->file);
    REQUIRE(Vmlinux::load(*content, kernel->file.size, diagnostics)->find_struct("printk_info"));
    package.verify_payload();
  }
}

// The table of a kernel of 20,000 symbols, of which some are looked up, as often as the log needs.
void look_up_symbols(std::string_view versions) {
  const auto* const form =
      std::find_if(std::begin(kallsyms_forms), std::end(kallsyms_forms),
                   [&](const KallsymsForm& candidate) { return candidate.versions == versions; });
  std::vector<KallsymsSample> symbols;
  for (unsigned i = 0; i < 20'000; ++i) {
    const char* const kinds[] = {"function_", "do_", "variable_of_"};
    symbols.push_back({"tTd"[i % 3], kernel_begin + i * 0x40, kinds[i % 3] + std::to_string(i)});
  }
  constexpr GuestVirtual place{0xffffffff82000000};
  const std::string bytes = KallsymsWriter(*form, symbols, place).write("");
  for (int round = 0; round < rounds / 10; ++round) {
    Budget budget = kallsyms_budget();
    const auto table =
        parse_kallsyms(as_bytes(bytes), place, budget, [&](const KallsymsTable& reading) {
          return reading.find("do_1")->value == symbols[1].address;
        });
    REQUIRE(table);
    for (std::size_t i = 0; i < symbols.size(); i += 400) {
      REQUIRE(table->find(symbols[i].name)->value == symbols[i].address);
    }
  }
}

void write_records(const char* format) {
  SampleReport report = sample_report();
  report.records.clear();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    LogRecord record;
    record.seq = i;
    record.ts_nsec = i * 1000;
    record.text = "a record of some length, as most of them are " + std::to_string(i);
    report.records.push_back(record);
  }
  for (int round = 0; round < rounds / 10; ++round) {
    REQUIRE(written(report, format).size() > 50'000);
  }
}

}  // namespace

TEST_CASE("instructions: package, gzip", "[.instructions]") {
  load_package("w6.gzdio.rpm");
}

TEST_CASE("instructions: package, zstd", "[.instructions]") {
  load_package("w3.zstdio.rpm");
}

TEST_CASE("instructions: needed sections", "[.instructions]") {
  const std::string content = kernel_with_kallsyms(LINUX_DWARF5_KERNEL);
  for (int round = 0; round < rounds; ++round) {
    ShortStream stream(content, 65536);
    std::string why;
    REQUIRE(read_needed_sections(stream, why));
  }
}

TEST_CASE("instructions: printk_ringbuffer", "[.instructions]") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int i = 0; i < 14; ++i) ring.store("record " + std::to_string(i));
  for (int round = 0; round < rounds; ++round) REQUIRE(ring.read().records.size() == 14);
}

TEST_CASE("instructions: printk_log", "[.instructions]") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < 500; ++i) writer.store({i, 0, 6, "record " + std::to_string(i), ""});
  writer.publish(guest);
  for (int round = 0; round < rounds; ++round) {
    REQUIRE(guest.read_log().records.size() == writer.kept.size());
  }
}

TEST_CASE("instructions: kallsyms, with an order", "[.instructions]") {
  look_up_symbols("6.12");
}

TEST_CASE("instructions: kallsyms, without an order", "[.instructions]") {
  look_up_symbols("5.x");
}

TEST_CASE("instructions: JSON", "[.instructions]") {
  write_records("json");
}

TEST_CASE("instructions: NDJSON", "[.instructions]") {
  write_records("ndjson");
}

TEST_CASE("instructions: text", "[.instructions]") {
  write_records("text");
}

}  // namespace photon_dmesg::test
