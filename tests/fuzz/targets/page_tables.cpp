// Page tables in arbitrary memory.
#include "kernel/arch/x86_64/page_tables.h"

#include "fuzz/input.h"
#include "kernel/arch/aarch64/page_tables.h"
#include "kernel/arch/architecture.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/memory/kernel_memory.h"
#include "support/fake_memory.h"

namespace photon_dmesg::fuzz {
namespace {

constexpr std::uint64_t page = 4096;

// Where what is written into which entry of a table: tables are mostly empty, and inputs are not.
void write_entries(Input& input, test::FakeMemory& memory, std::uint64_t pages) {
  while (!input.empty()) {
    const GuestPhysical table{input.byte() % pages * page};
    const std::uint64_t entry = input.number(2) % 512;
    memory.write_value(table + entry * 8, input.number(8));
  }
}

PageTables tables_of(unsigned form, const GuestMemory& memory) {
  constexpr unsigned is_arm64 = 4;
  if ((form & is_arm64) != 0) {
    const auto forms = aarch64::possible_forms();
    return {architecture_of(Machine::Aarch64), memory, {0}, forms[(form >> 3U) % forms.size()]};
  }
  return x86_64::page_tables(memory, {0}, (form & 1) != 0 ? PagingLevels::Five : PagingLevels::Four,
                             (form & 2) != 0 ? std::uint64_t{1} << 51 : 0);
}

// Pages that begin in `range`, each as find() has it.
void walk(const PageTables& tables, const Architecture::Range& range) {
  constexpr int most_pages = 2000;
  int seen = 0;
  GuestVirtual last{0};
  tables.for_each_page(range.begin, range.end, [&](const PageTables::Page& found) {
    require(found.virtual_address >= range.begin && found.virtual_address < range.end,
            "pages begin in the range");
    require(seen == 0 || found.virtual_address > last, "pages ascend");
    require(found.virtual_address.value % found.size == 0, "pages are aligned");
    require(found.physical_address.value % found.size == 0, "pages' memory is aligned");
    last = found.virtual_address;
    const auto same = tables.find(found.virtual_address);
    require(same && same->physical_address == found.physical_address && same->size == found.size &&
                same->writable == found.writable && same->executable == found.executable,
            "both ways to a page lead to the same one");
    if (++seen == most_pages) throw unusable("enough");
  });
}

}  // namespace

void fuzz_page_tables(Bytes bytes) {
  constexpr std::uint64_t pages = 16;
  Input input(bytes);
  const unsigned form = input.byte();
  const GuestVirtual address{input.number(8)};
  test::FakeMemory memory(pages * page);
  write_entries(input, memory, pages);
  const PageTables tables = tables_of(form, memory);
  const Architecture& architecture = tables.architecture();
  const KernelMemory kernel(memory, tables);
  std::array<std::byte, 2 * page> target{};
  (void)kernel.read(address, target);
  (void)kernel.read_text(address, 64);
  (void)architecture.first_handler(tables, address);
  (void)architecture.possible_kernel_tables(memory, {page * (address.value % pages)});
  require(architecture.possible_ram_shifts(memory, {{0}, pages * page}).size() <= pages,
          "only some places are worth a try");
  Budget budget("pages", 1 << 16);
  (void)architecture.image_range(tables, budget);
  walk(tables, architecture.map().image);
}

}  // namespace photon_dmesg::fuzz
