#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/tasks/task_reader.h"
#include "report/report.h"

namespace photon_dmesg {

// Everything photon-dmesg info prints. What is not known is absent.
struct InfoReport {
  struct File {
    std::string path;
    std::string kind;
    std::optional<std::uint64_t> size;  // bytes; not of a folder or a pipe
  };
  std::vector<File> files;

  struct Kernel {
    std::string release;
    std::string package;
    bool has_types = false;  // vmlinux with debug information, not a System.map alone
  };
  std::vector<Kernel> kernels;  // in packages, where there is no guest to say which is wanted

  std::optional<GuestInfo> guest;    // absent, as what follows, if its kernel was not found
  std::optional<SourceInfo> source;  // of its memory and symbols
  std::vector<PhysicalRange> memory_ranges;

  struct Cpu {
    Vcpu registers;
    std::optional<SymbolPlace> place;  // of RIP
    std::optional<Task> task;          // that it runs
    std::vector<std::string> frames;   // the newest of its trace, as `bt` shows them
  };
  std::vector<Cpu> registers;  // also of a checkpoint whose memory is missing

  std::optional<CheckpointInfo> checkpoint;
  std::vector<ListedTag> tags;  // only when asked for

  std::vector<std::string> warnings;  // what the user was told
  std::vector<std::string> problems;  // why something of the above is missing
};

// For people: one fact a line.
void write_info_text(const InfoReport& report, std::ostream& out);

// One JSON document; docs/formats.md describes it.
void write_info_json(const InfoReport& report, std::ostream& out);

}  // namespace photon_dmesg
