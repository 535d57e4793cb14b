#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "kernel/facts/guest_clock.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// Everything photon-dmesg info prints. What is not known is absent.
struct InfoReport {
  struct File {
    std::string path;
    std::string kind;
    std::optional<std::uint64_t> size;  // bytes; not of a folder or a pipe
  };
  std::vector<File> files;

  std::optional<CheckpointInfo> checkpoint;
  std::vector<ListedTag> tags;  // only when asked for

  struct Cpu {
    Vcpu registers;
    std::optional<SymbolPlace> place;  // of RIP
  };
  std::vector<Cpu> vcpus;

  std::vector<PhysicalRange> memory;
  std::optional<std::string> memory_path;

  struct Kernel {
    std::string release;
    std::string banner;
    std::uint64_t kaslr_offset = 0;
    std::uint64_t phys_base = 0;
    std::optional<std::string> build_id;
    std::optional<GuestClock> clock;
  };
  std::optional<Kernel> kernel;

  std::vector<std::string> problems;  // why something of the above is missing
};

// For people: one fact a line.
void write_info_text(const InfoReport& report, std::ostream& out);

// One JSON document; docs/formats.md describes it.
void write_info_json(const InfoReport& report, std::ostream& out);

}  // namespace photon_dmesg
