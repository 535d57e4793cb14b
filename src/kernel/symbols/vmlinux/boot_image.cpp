#include "kernel/symbols/vmlinux/boot_image.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "base/error.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/kallsyms_parser.h"
#include "kernel/symbols/vmlinux/boot_payload.h"
#include "kernel/symbols/vmlinux/elf_btf.h"

namespace photon_dmesg {
namespace {

std::optional<std::string> banner_at(const ElfImage& kernel, std::optional<GuestVirtual> address) {
  if (!address) return std::nullopt;
  const std::span<const std::byte> bytes = kernel.initial_data(*address, banner_bytes_limit);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// Whether `table` is that of `kernel`: its text begins and ends, and its banner stands, where the
// file has them.
bool fits_kernel(const KallsymsTable& table, const ElfImage& kernel) {
  const std::optional<GuestVirtual> text = table.find("_stext");
  const std::optional<GuestVirtual> text_end = table.find("_etext");
  const std::optional<std::string> banner = banner_at(kernel, table.find("linux_banner"));
  return text && text_end && *text < *text_end && !kernel.initial_data(*text, 1).empty() &&
         !kernel.initial_data({text_end->value - 1}, 1).empty() &&
         (!banner || parse_banner(*banner));
}

// Kernels have it among the read-only data.
KallsymsTable read_kallsyms(const ElfImage& kernel, Diagnostics& diagnostics) {
  Budget budget = kallsyms_budget();
  const auto section = kernel.find_section(".rodata");
  if (section && !section->compressed) {
    auto table =
        parse_kallsyms(kernel.read(section->range), section->address, budget,
                       [&](const KallsymsTable& found) { return fits_kernel(found, kernel); });
    if (table) {
      diagnostics.found({.what = "symbols",
                         .value = fmt::format("{}", table->size()),
                         .where = kernel.name(),
                         .how = "its kallsyms"});
      table->keep();
      return std::move(*table);
    }
  }
  budget.warn_if_exceeded(kernel.name(), diagnostics);
  throw unusable(fmt::format(
      "{}: expected the kernel's own table of symbols (kallsyms), found none", kernel.name()));
}

}  // namespace

std::unique_ptr<BootImage> BootImage::load(const ByteSource& file, Diagnostics& diagnostics) {
  const ElfImage kernel(file.name(), unpack_boot_payload(file, diagnostics));
  KallsymsTable table = read_kallsyms(kernel, diagnostics);
  auto btf = read_elf_btf(kernel, diagnostics);
  return std::unique_ptr<BootImage>(
      new BootImage(file.name(), kernel, std::move(table), std::move(btf)));
}

BootImage::BootImage(std::string name, const ElfImage& kernel, KallsymsTable table,
                     std::unique_ptr<Btf> btf)
    : name_(std::move(name)),
      table_(std::move(table)),
      btf_(std::move(btf)),
      banner_(banner_at(kernel, table_.find("linux_banner"))),
      build_id_(kernel.build_id()) {}

void BootImage::for_each_symbol(const SymbolVisit& visit) const {
  table_.for_each(visit);
}

}  // namespace photon_dmesg
