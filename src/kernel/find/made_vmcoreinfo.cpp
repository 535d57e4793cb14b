#include "kernel/find/made_vmcoreinfo.h"

#include <fmt/format.h>

#include <array>

#include "kernel/arch/architecture.h"

namespace photon_dmesg {
namespace {

// What the kernel's own page tables have been called, the newest name first.
std::optional<GuestVirtual> find_page_tables(const GuestKernel& kernel) {
  constexpr std::array names = {"swapper_pg_dir", "init_top_pgt", "init_level4_pgt"};
  for (const char* name : names) {
    if (const auto address = kernel.find_address(name)) return address;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> make_vmcoreinfo(const GuestKernel& kernel) {
  const auto names = kernel.find_address("init_uts_ns");
  const auto tables = find_page_tables(kernel);
  if (!names || !tables) return std::nullopt;
  std::string text = fmt::format("OSRELEASE={}\n", kernel.banner().release);
  if (const auto build_id = kernel.build_id()) text += fmt::format("BUILD-ID={}\n", *build_id);
  const PageTables& own = kernel.memory().tables();
  text += fmt::format("PAGESIZE={}\nSYMBOL(init_uts_ns)={:x}\n", 1U << own.form().page_shift,
                      names->value);
  text += fmt::format("SYMBOL(swapper_pg_dir)={:x}\n", tables->value);
  if (const auto begin = kernel.find_address("_stext")) {
    text += fmt::format("SYMBOL(_stext)={:x}\n", begin->value);
  }
  for (const auto& [name, value] : own.architecture().dump_entries(own, kernel.image_place())) {
    text += fmt::format("{}={}\n", name, value);
  }
  return text + fmt::format("KERNELOFFSET={:x}\n", kernel.kaslr_offset());
}

}  // namespace photon_dmesg
