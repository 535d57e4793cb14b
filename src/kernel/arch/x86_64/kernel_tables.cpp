#include "kernel/arch/x86_64/kernel_tables.h"

#include <algorithm>
#include <array>

#include "base/little_endian.h"
#include "kernel/arch/x86_64/page_tables.h"

namespace photon_dmesg::x86_64 {
namespace {

// Whether the page at `root` may be a kernel's top-level table: its last entry leads to the image,
// and the half for user space, which belongs to no process, is empty.
bool may_be_root(const GuestMemory& memory, GuestPhysical root) {
  constexpr std::size_t page = 4096;
  constexpr std::size_t entry = sizeof(std::uint64_t);
  std::array<std::byte, entry> last{};
  if (!memory.read(root + (page - entry), last) || (load_u64(last) & 1U) == 0) return false;
  std::vector<std::byte> user_half(page / 2);
  return memory.read(root, user_half) &&
         std::all_of(user_half.begin(), user_half.end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

std::optional<std::uint64_t> read_u64(const GuestMemory& memory, GuestPhysical address) {
  std::array<std::byte, 8> bytes{};
  return memory.read(address, bytes) ? std::optional(load_u64(bytes)) : std::nullopt;
}

}  // namespace

std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory, GuestPhysical root) {
  if (!may_be_root(memory, root)) return {};
  return {page_tables(memory, root, PagingLevels::Four),
          page_tables(memory, root, PagingLevels::Five)};
}

// init_top_pgt (4.14 and later) or init_level4_pgt.
std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                        const Architecture::FindSymbol& find) {
  PagingLevels levels = PagingLevels::Four;
  if (const std::optional<GuestPhysical> enabled = find("__pgtable_l5_enabled")) {
    const std::uint64_t value = read_u64(memory, *enabled).value_or(0);
    if ((value & 0xffffffff) != 0) levels = PagingLevels::Five;
  }
  for (const char* name : {"init_top_pgt", "init_level4_pgt"}) {
    if (const std::optional<GuestPhysical> table = find(name)) {
      return page_tables(memory, *table, levels);
    }
  }
  return std::nullopt;
}

std::optional<PageTables> dumped_kernel_tables(const GuestMemory& memory, GuestPhysical root,
                                               const Architecture::DumpEntries& entries) {
  const auto levels = entries.find("NUMBER(pgtable_l5_enabled)");
  const bool five = levels != entries.end() && levels->second == "1";
  return page_tables(memory, root, five ? PagingLevels::Five : PagingLevels::Four);
}

}  // namespace photon_dmesg::x86_64
