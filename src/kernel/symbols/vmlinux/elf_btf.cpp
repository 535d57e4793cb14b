#include "kernel/symbols/vmlinux/elf_btf.h"

#include <fmt/format.h>

#include <span>

#include "base/error.h"

namespace photon_dmesg {

std::unique_ptr<Btf> read_elf_btf(const ElfImage& image, Diagnostics& diagnostics) {
  const auto section = image.find_section(".BTF");
  if (!section || section->compressed || section->range.size > most_btf_bytes) return nullptr;
  const std::span<const std::byte> bytes = image.read(section->range);
  try {
    auto types = Btf::parse({bytes.begin(), bytes.end()}, image.name());
    diagnostics.found({.what = "types",
                       .value = fmt::format("{}", types->size()),
                       .where = image.name(),
                       .how = "its BTF"});
    return types;
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("{}: its symbols are used without types", error.what()));
    return nullptr;
  }
}

}  // namespace photon_dmesg
