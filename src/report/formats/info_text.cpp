#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/printable.h"
#include "report/info.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t label_width = 12;

class TextWriter {
 public:
  explicit TextWriter(std::ostream& out) : out_(out) {}

  void line(std::string_view label, std::string_view text) {
    out_ << fmt::format("{:<{}} {}\n", label, label_width, printable(text));
  }

  void write(const InfoReport& report) {
    for (const InfoReport::File& file : report.files) {
      line("file", fmt::format("{}: {}{}", file.path, file.kind,
                               file.size ? fmt::format(", {} bytes", *file.size) : ""));
    }
    if (report.checkpoint) write(*report.checkpoint);
    for (const InfoReport::Cpu& vcpu : report.vcpus) write(vcpu);
    write_memory(report);
    if (report.kernel) write(*report.kernel);
    for (const ListedTag& tag : report.tags) write(tag);
    for (const std::string& problem : report.problems) line("problem", problem);
  }

 private:
  void write(const CheckpointInfo& info) {
    line("checkpoint",
         fmt::format("{}, magic {:#x}, version {}", info.meaning, info.magic, info.version));
    if (info.product) {
      line("product", fmt::format("{} {}", *info.product, info.product_version.value_or("")));
    }
    std::vector<std::string> names;
    for (const TagFile::Group& group : info.groups) {
      names.push_back(group.truncated ? group.name + " (cut off)" : group.name);
    }
    line("groups", fmt::format("{}: {}", names.size(), fmt::join(names, " ")));
    if (info.memory) write(*info.memory);
    if (info.has_screenshot) line("screenshot", "inside: --screenshot FILE takes it out");
    if (info.has_configuration) line(".vmx", "inside: --vmx FILE takes it out");
  }

  void write(const MemoryDescription& memory) {
    if (memory.configured_mib) line("configured", fmt::format("{} MiB", *memory.configured_mib));
    for (const MemoryRegion& region : memory.regions) {
      line("region", fmt::format("PPN {:#x}, {:#x} pages, page {:#x} of the image",
                                 region.first_ppn, region.pages, region.image_page));
    }
    if (memory.block) {
      line("monolithic", fmt::format("{} bytes of memory at offset {:#x} of the checkpoint",
                                     memory.block->size, memory.block->offset));
    }
  }

  void write(const InfoReport::Cpu& cpu) {
    const Vcpu& vcpu = cpu.registers;
    std::vector<std::string> parts;
    if (vcpu.rip) parts.push_back(fmt::format("RIP {}", *vcpu.rip));
    if (cpu.place) parts.push_back(fmt::format("{}+{:#x}", cpu.place->name, cpu.place->offset));
    constexpr std::uint16_t privilege_mask = 3;
    if (vcpu.cs) {
      parts.emplace_back((*vcpu.cs & privilege_mask) == 0 ? "kernel mode" : "user mode");
    }
    if (vcpu.cr[3]) parts.push_back(fmt::format("CR3 {:#x}", *vcpu.cr[3]));
    if (parts.empty()) parts.emplace_back("no registers");
    line(fmt::format("vCPU {}", vcpu.index), fmt::format("{}", fmt::join(parts, ", ")));
  }

  void write_memory(const InfoReport& report) {
    if (!report.memory_path) return;
    // Filtered dumps have very many ranges.
    constexpr std::size_t most = 8;
    std::vector<std::string> parts;
    std::uint64_t total = 0;
    for (const PhysicalRange& range : report.memory) {
      total += range.size;
      if (parts.size() < most) {
        parts.push_back(fmt::format("{} to {}", range.begin, range.begin + range.size));
      }
    }
    if (report.memory.size() > most) {
      parts.push_back(fmt::format("{} more ranges", report.memory.size() - most));
    }
    line("memory", fmt::format("{} bytes in {}: physical {}", total, *report.memory_path,
                               fmt::join(parts, ", ")));
  }

  void write(const InfoReport::Kernel& kernel) {
    line("kernel", kernel.release);
    line("banner", kernel.banner);
    line("KASLR",
         fmt::format("offset {:#x}, phys_base {:#x}", kernel.kaslr_offset, kernel.phys_base));
    if (kernel.build_id) line("build-id", *kernel.build_id);
    if (!kernel.clock) return;
    const std::int64_t booted = kernel.clock->realtime_offset_nsec;
    const std::int64_t stopped = kernel.clock->last_update_nsec;
    constexpr double second = 1e9;
    line("booted", utc_time(booted));
    line("stopped", utc_time(stopped));
    line("uptime", fmt::format("{:.3f} s", static_cast<double>(stopped - booted) / second));
  }

  void write(const ListedTag& listed) {
    std::string name = fmt::format("{}/{}", listed.group, listed.tag.name);
    for (const std::uint32_t index : listed.tag.indices) name += fmt::format("[{}]", index);
    if (listed.number) {
      line("tag", fmt::format("{} = {:#x}", name, *listed.number));
      return;
    }
    const bool compressed = listed.tag.encoding == CheckpointTag::Encoding::CompressedBlock;
    line("tag", fmt::format("{}: {} bytes at {:#x}{}{}", name, listed.tag.value_size,
                            listed.tag.value_offset, compressed ? ", compressed" : "",
                            listed.text ? fmt::format(": \"{}\"", *listed.text) : ""));
  }

  std::ostream& out_;
};

}  // namespace

void write_info_text(const InfoReport& report, std::ostream& out) {
  TextWriter(out).write(report);
}

}  // namespace photon_dmesg
