#include "kernel/symbols/types_of_use.h"

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

constexpr std::array types = {
    // kernel/printk/printk_ringbuffer.h: the log of 5.10 and later.
    TypeOfUse{"printk_ringbuffer", "prb", ""},
    TypeOfUse{"prb_desc_ring", "prb", ""},
    TypeOfUse{"prb_data_ring", "prb", ""},
    TypeOfUse{"prb_desc", "prb", ""},
    TypeOfUse{"prb_data_blk_lpos", "prb", ""},
    TypeOfUse{"printk_info", "prb", ""},
    TypeOfUse{"dev_printk_info", "prb", ""},
    // kernel/printk/printk.c: the log of 3.5 to 5.9; `struct log` before 3.11.
    TypeOfUse{"printk_log", "log_first_idx", ""},
    TypeOfUse{"log", "log_first_idx", "printk_log"},
    // The same: a line of which only the beginning was printed, until 5.9.
    TypeOfUse{"cont", "log_first_idx", ""},
    // include/linux/console.h: how far each console has come, since 5.19.
    TypeOfUse{"console", "console_drivers", ""},
    TypeOfUse{"console", "console_list", ""},
};

}  // namespace

std::span<const TypeOfUse> types_of_use() {
  return types;
}

std::vector<const StructLayout*> find_types_of_use(const KernelSymbols& symbols) {
  std::vector<const StructLayout*> found;
  for (const TypeOfUse& type : types) {
    if (!type.symbol.empty() && !symbols.find_symbol(type.symbol)) continue;
    if (!type.instead_of.empty() && symbols.find_struct(type.instead_of) != nullptr) continue;
    const StructLayout* layout = symbols.find_struct(type.name);
    const bool is_new = std::find(found.begin(), found.end(), layout) == found.end();
    if (layout != nullptr && is_new) found.push_back(layout);
  }
  return found;
}

}  // namespace photon_dmesg
