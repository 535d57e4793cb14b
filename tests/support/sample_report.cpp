#include "support/sample_report.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace photon_dmesg::test {

LogRecord sample_record() {
  LogRecord record;
  record.seq = 42;
  record.ts_nsec = 1'234'567'891;
  record.facility = 3;
  record.level = 5;
  record.text = "plain";
  return record;
}

HostLine sample_host_line() {
  return parse_host_line({"2026-11-23T17:34:32.500Z", 1'795'455'272'500'000'000, "vcpu-0",
                          "<0>[   20.000001] Kernel panic - not syncing: it was"},
                         "dir/vmware.log");
}

SampleReport sample_report() {
  SampleReport report;
  report.guest.release = "6.1.10-1.ph5";
  report.guest.banner = "Linux version 6.1.10";
  report.guest.build_id = "00ff";
  report.guest.kaslr_offset = 0x1a000000;
  report.guest.architecture = "x86_64";
  report.guest.place_variable = "phys_base";
  report.guest.image_place = 0x2000000;
  report.guest.vcpus = 2;
  report.guest.memory_bytes = 1 << 30;
  report.guest.identity = {"web-1", "01234567-89ab-4cde-8f01-23456789abcd"};
  report.guest.vm_name = "Photon (old)";
  report.source = {"dir/vm.vmss",
                   "dir/vm.vmem",
                   {"photon.iso", "RPMS/linux.rpm", "/usr/vmlinux", {}, {}, {}, {}}};
  report.generator = "photon-dmesg 1.2.3";
  report.records = {sample_record()};
  return report;
}

std::string written(const SampleReport& report, const std::string& format) {
  const auto* found = std::find_if(output_formats.begin(), output_formats.end(),
                                   [&](const OutputFormat& f) { return f.name == format; });
  if (found == output_formats.end()) throw std::logic_error("no format " + format);
  std::ostringstream out;
  const std::unique_ptr<ReportWriter> writer = found->make(report, out);
  std::uint64_t previous_usec = 0;
  for (const LogRecord& record : report.records) {
    writer->write(record, previous_usec);
    previous_usec = record.ts_nsec / 1000;
  }
  for (const UnloggedText& text : report.unlogged) writer->write(text);
  for (const HostLine& line : report.host_lines) writer->write(line);
  writer->finish(report.warnings);
  return out.str();
}

}  // namespace photon_dmesg::test
