#include "kernel/find/crash_kernel.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/elf_notes.h"
#include "base/error.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/vmcoreinfo.h"

namespace photon_dmesg {
namespace {

std::optional<std::string> read_command_line(const GuestKernel& kernel) {
  constexpr std::size_t longest = 2048;  // COMMAND_LINE_SIZE
  const std::optional<GuestVirtual> pointer = kernel.find_address("saved_command_line");
  const auto address =
      pointer ? kernel.memory().read_unsigned(*pointer, sizeof(std::uint64_t)) : std::nullopt;
  return address ? kernel.memory().read_text({*address}, longest) : std::nullopt;
}

// "0x1234", "1234", "1234K": bytes, as the kernel's memparse() takes them.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc()) return std::nullopt;
  constexpr std::string_view units = "KMG";
  const char unit = stop == text.data() + text.size() ? '\0' : *stop;
  const std::size_t power = units.find(unit) == std::string_view::npos ? 0 : units.find(unit) + 1;
  return value << (10 * power);
}

template <typename Struct>
bool read_struct(const GuestMemory& memory, GuestPhysical address, Struct& target) {
  return memory.read(address, std::as_writable_bytes(std::span(&target, 1)));
}

// The VMCOREINFO among the notes in `bytes`, which may be cut off.
std::optional<Vmcoreinfo> find_in_notes(const std::string& bytes) {
  const BufferSource source("the crashed kernel's notes", std::as_bytes(std::span(bytes)));
  try {
    ElfNotes notes(source, 0, source.size());
    while (const std::optional<ElfNote> note = notes.next()) {
      if (note->owner != "VMCOREINFO") continue;
      return Vmcoreinfo::parse(bytes.substr(note->offset, note->size) + '\0');
    }
  } catch (const Error&) {
    // Damaged notes name no kernel.
  }
  return std::nullopt;
}

// By a note that the ELF header at `address` names; its offsets are physical addresses.
std::optional<Vmcoreinfo> read_core_vmcoreinfo(const GuestMemory& memory, GuestPhysical address) {
  Elf64_Ehdr header{};
  if (!read_struct(memory, address, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return std::nullopt;
  }
  // One for each processor, of some hundred bytes.
  Budget budget("bytes of notes", 16 * 1024 * 1024);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    constexpr std::uint64_t largest_notes = 64 * 1024;
    if (!read_struct(memory, address + header.e_phoff + i * sizeof(segment), segment)) break;
    if (segment.p_type != PT_NOTE) continue;
    if (!budget.take(std::min(segment.p_filesz, largest_notes))) break;
    std::string notes(std::min(segment.p_filesz, largest_notes), '\0');
    if (!memory.read({segment.p_offset}, std::as_writable_bytes(std::span(notes)))) continue;
    if (auto info = find_in_notes(notes)) return info;
  }
  return std::nullopt;
}

// Nothing if `info` is of another architecture: it does not say where its image is.
std::optional<PageTables> tables_of(const GuestMemory& memory, const Architecture& architecture,
                                    const Vmcoreinfo& info, GuestVirtual top) {
  const auto place = info.number(architecture.map().place_variable);
  const GuestPhysical root{top.value - architecture.image_shift(place.value_or(0))};
  return architecture.dumped_kernel_tables(memory, root, info.entries());
}

// The kernel of `info`; `origin` is where that was found.
std::optional<RunningKernel> kernel_of(const GuestMemory& memory, const Architecture& architecture,
                                       const std::optional<Vmcoreinfo>& info,
                                       const std::string& origin, Diagnostics& diagnostics) {
  const auto top = info ? info->symbol("swapper_pg_dir") : std::nullopt;
  if (!top) {
    diagnostics.found({.what = "no VMCOREINFO that names page tables", .where = origin});
    return std::nullopt;
  }
  const auto tables = tables_of(memory, architecture, *info, *top);
  if (!tables) return std::nullopt;
  auto image = std::make_shared<const KernelImage>(memory, *tables);
  std::vector<FoundBanner> banners =
      find_banners(*image, BannerExtent::UpToBuildNumber, diagnostics);
  if (banners.empty()) {
    diagnostics.found({.what = "no kernel",
                       .where = origin,
                       .how = fmt::format("its page tables at {} map none", tables->root())});
    return std::nullopt;
  }
  diagnostics.found(
      {.what = "Linux",
       .value = std::string(info->release()),
       .where = origin,
       .how = fmt::format("{}-level page tables at {}", tables->levels(), tables->root())});
  return RunningKernel{std::move(banners), std::move(image), std::nullopt, {}};
}

// By the command line (elfcorehdr=).
std::optional<GuestPhysical> find_header_option(const GuestKernel& kernel,
                                                Diagnostics& diagnostics) {
  const std::optional<std::string> line = read_command_line(kernel);
  if (!line) return std::nullopt;
  diagnostics.found({.what = "command line", .value = *line});
  constexpr std::string_view option = "elfcorehdr=";
  // Where it is given twice, as the kernel: the last one counts. "SIZE@ADDRESS" is a form of it.
  const std::size_t at = line->rfind(option);
  if (at == std::string::npos) return std::nullopt;
  std::string_view value = std::string_view(*line).substr(at + option.size());
  value = value.substr(0, value.find(' '));
  if (const std::size_t separator = value.find('@'); separator != std::string_view::npos) {
    value.remove_prefix(separator + 1);
  }
  const std::optional<std::uint64_t> address = parse_size(value);
  return address ? std::optional(GuestPhysical{*address}) : std::nullopt;
}

}  // namespace

std::optional<GuestPhysical> find_elf_core_header(const GuestKernel& kernel,
                                                  Diagnostics& diagnostics) {
  // include/linux/crash_dump.h: no crash-dump kernel, and one that has used the header.
  constexpr std::uint64_t none = ~std::uint64_t{0};  // ELFCORE_ADDR_MAX
  constexpr std::uint64_t used = none - 1;           // ELFCORE_ADDR_ERR
  const auto variable = kernel.find_address("elfcorehdr_addr");
  const auto value =
      variable ? kernel.memory().read_unsigned(*variable, sizeof(std::uint64_t)) : std::nullopt;
  if (value == none) return std::nullopt;
  if (value && value != used) return GuestPhysical{*value};
  const auto header = find_header_option(kernel, diagnostics);
  if (value && !header) {
    diagnostics.warn_of_lack(
        "the guest had crashed and was running its crash-dump (kdump) kernel: this is of that "
        "kernel, the one that crashed is not found: the command line has no elfcorehdr=");
  }
  return header;
}

std::optional<RunningKernel> find_crashed_kernel(const GuestMemory& memory,
                                                 const Architecture& architecture,
                                                 GuestPhysical elf_core_header,
                                                 Diagnostics& diagnostics) {
  return kernel_of(memory, architecture, read_core_vmcoreinfo(memory, elf_core_header),
                   fmt::format("elfcorehdr at physical {}", elf_core_header), diagnostics);
}

std::optional<RunningKernel> find_dumped_kernel(const GuestMemory& memory,
                                                const std::string& vmcoreinfo,
                                                Diagnostics& diagnostics) {
  const std::optional<Vmcoreinfo> info = Vmcoreinfo::parse(vmcoreinfo + '\0');
  for (const Architecture* architecture : architectures()) {
    auto kernel = kernel_of(memory, *architecture, info, "the dump's notes", diagnostics);
    if (kernel) return kernel;
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
