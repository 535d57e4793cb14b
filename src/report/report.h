#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/guest_clock.h"
#include "kernel/log_record.h"
#include "report/time_format.h"

namespace photon_dmesg {

// The guest as far as it is known.
struct GuestInfo {
  std::string release;
  std::string banner;
  std::optional<std::string> build_id;  // lower-case hexadecimal, from guest memory
  std::uint64_t kaslr_offset = 0;
  std::uint64_t phys_base = 0;
  std::uint64_t vcpus = 0;
  std::uint64_t memory_bytes = 0;
  std::optional<GuestClock> clock;  // the guest's own
};

// The files that the report was made from. What does not apply is absent.
struct SourceInfo {
  std::string checkpoint;
  std::string memory;
  std::optional<std::string> iso;
  std::optional<std::string> package;            // inside the ISO, or on its own
  std::optional<std::string> vmlinux;            // inside the package, or on its own
  std::optional<std::string> system_map;         // instead of vmlinux
  std::optional<std::string> symbols_in_memory;  // MemorySymbols::origin(): no file was needed
  std::optional<std::string> profile;            // that replaced them all
};

// Everything an output format may print.
struct Report {
  GuestInfo guest;
  SourceInfo source;
  std::vector<std::string> warnings;
  KernelLog log;
  TimeFormat time_format = TimeFormat::SinceBoot;  // of text; others need guest.clock
};

}  // namespace photon_dmesg
