#pragma once

#include <string>
#include <vector>

#include "report/formats/output_format.h"

namespace photon_dmesg::test {

// A report with its log, all at once.
struct SampleReport : ReportContext {
  std::vector<LogRecord> records;
  std::vector<UnloggedText> unlogged;
  std::vector<HostLine> host_lines;
  std::vector<std::string> warnings;
};

// "2026-11-23T17:34:12.404972Z" for the boot, 60 seconds of life.
inline constexpr GuestClock sample_clock{1'795'455'252'404'972'809, 1'795'455'312'404'972'809};

// Of a guest called "web-1" with one record of facility daemon, level notice: "plain".
[[nodiscard]] SampleReport sample_report();
[[nodiscard]] LogRecord sample_record();
// Sent at its panic, 20 s after boot: "Kernel panic - not syncing: it was".
[[nodiscard]] HostLine sample_host_line();

// What --format `format` prints of it.
[[nodiscard]] std::string written(const SampleReport& report, const std::string& format);

}  // namespace photon_dmesg::test
