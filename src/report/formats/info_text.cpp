#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/printable.h"
#include "kernel/arch/machines/machines.h"
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
    for (const InfoReport::Kernel& kernel : report.kernels) {
      line("kernel", fmt::format("{}: {} of {}", kernel.release,
                                 kernel.has_types ? "vmlinux" : "System.map", kernel.package));
    }
    if (report.checkpoint) write(*report.checkpoint);
    for (const InfoReport::Cpu& vcpu : report.registers) write(vcpu);
    write_memory(report);
    if (report.guest) write(*report.guest);
    if (report.source) line("source", describe(report.source->symbols));
    for (const ListedTag& tag : report.tags) write(tag);
    for (const std::string& problem : report.problems) line("problem", problem);
  }

 private:
  void line_if(std::string_view label, const std::optional<std::string>& text) {
    if (text) line(label, *text);
  }

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
      line("block", fmt::format("{} bytes of memory at offset {:#x} of the checkpoint",
                                memory.block->size, memory.block->offset));
    }
  }

  void write(const InfoReport::Cpu& cpu) {
    const Vcpu& vcpu = cpu.registers;
    const Architecture& architecture = architecture_of(vcpu.machine);
    std::vector<std::string> parts;
    if (cpu.task) parts.push_back(name_and_pid(*cpu.task));
    const auto add = [&parts](const Architecture::ShownRegister& shown) {
      if (shown.title == nullptr || !shown.value) return;
      parts.push_back(fmt::format("{} {:#x}", shown.title, *shown.value));
    };
    const auto registers = architecture.shown_registers(vcpu);
    add(registers.front());
    if (!cpu.frames.empty()) {
      parts.push_back(fmt::format("{}", fmt::join(cpu.frames, " < ")));
    } else if (cpu.place) {
      parts.push_back(fmt::format("{}+{:#x}", cpu.place->name, cpu.place->offset));
    }
    if (const auto user = architecture.was_in_user_mode(vcpu)) {
      parts.emplace_back(*user ? "user mode" : "kernel mode");
    }
    std::for_each(registers.begin() + 1, registers.end(), add);
    if (parts.empty()) parts.emplace_back("no registers");
    line(fmt::format("vCPU {}", vcpu.index), fmt::format("{}", fmt::join(parts, ", ")));
  }

  // What is where of the memory, in one line.
  void write_memory(const InfoReport& report) {
    if (!report.guest || !report.source) return;
    // Filtered dumps have very many ranges.
    constexpr std::size_t most = 8;
    const std::vector<PhysicalRange>& ranges = report.memory_ranges;
    std::vector<std::string> parts;
    for (const PhysicalRange& range : ranges) {
      if (parts.size() == most) {
        parts.push_back(fmt::format("{} more ranges", ranges.size() - most));
        break;
      }
      parts.push_back(fmt::format("{} to {}", range.begin, range.begin + range.size));
    }
    line("memory", fmt::format("{} bytes in {}: physical {}", report.guest->memory_bytes,
                               report.source->memory, fmt::join(parts, ", ")));
  }

  // By the names that `guest` has in JSON.
  void write(const GuestInfo& guest) {
    line("release", guest.release);
    line("banner", guest.banner);
    line("architecture", guest.architecture);
    line_if("build_id", guest.build_id);
    line("kaslr_offset", fmt::format("{:#x}", guest.kaslr_offset));
    line(guest.place_variable, fmt::format("{:#x}", guest.image_place));
    line_if("hostname", guest.identity.hostname);
    line_if("boot_id", guest.identity.boot_id);
    line_if("vm", guest.vm_name);
    if (guest.clock) write(*guest.clock);
  }

  static double seconds(std::int64_t nsec) { return static_cast<double>(nsec) / 1e9; }

  void write(const ClockHistory& clock) {
    line("boot", utc_time(clock.boot()));
    line("stopped", utc_time(clock.clock().last_update_nsec));
    line("uptime", fmt::format("{:.3f} s", seconds(clock.uptime())));
    if (clock.drift()) line("drift", fmt::format("{:.3f} s", seconds(*clock.drift())));
    if (const auto sleep = clock.clock().sleep_nsec) {
      line("sleep", fmt::format("{:.3f} s", seconds(*sleep)));
    }
    for (const ClockHistory::Step& step : clock.steps()) {
      line("step", fmt::format("{:+.3f} s, {} {:.6f} s since boot, {}", seconds(step.nsec),
                               step.placed ? "at" : "at some time after",
                               static_cast<double>(step.ts_nsec) / 1e9,
                               step.cause == ClockHistory::Step::Cause::Sleep ? "sleep" : "set"));
    }
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
