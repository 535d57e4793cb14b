#include "kernel/arch/aarch64/kernel_tables.h"

#include <fmt/format.h>

#include <array>

#include "kernel/arch/aarch64/aarch64.h"
#include "kernel/arch/aarch64/page_tables.h"
#include "kernel/arch/dump_number.h"

namespace photon_dmesg::aarch64 {
namespace {

constexpr const char* table_symbol = "swapper_pg_dir";

PageTables tables_at(const GuestMemory& memory, GuestPhysical root, const PageTableForm& form) {
  return {architecture(), memory, root, form};
}

std::optional<std::uint64_t> number_in(const Architecture::DumpEntries& entries,
                                       std::string_view name) {
  constexpr int decimal = 10;
  const auto found = entries.find(name);
  return found == entries.end() ? std::nullopt : parse_dump_number(found->second, decimal);
}

const PageTableForm* find_form(unsigned page_shift, std::uint64_t address_bits) {
  for (const PageTableForm& form : possible_forms()) {
    if (form.page_shift == page_shift && form.address_bits == address_bits) return &form;
  }
  return nullptr;
}

// The forms that TCR_EL1 leaves open: one, or all if nobody knows it.
std::vector<PageTableForm> forms_of(const std::optional<std::uint64_t>& tcr) {
  const std::span<const PageTableForm> all = possible_forms();
  if (tcr) {
    constexpr unsigned t1sz = 16;
    constexpr unsigned t1sz_mask = 0x3f;
    constexpr unsigned tg1 = 30;
    constexpr std::array<unsigned, 4> page_shifts = {0, 14, 12, 16};
    const std::uint64_t address_bits = 64 - (*tcr >> t1sz & t1sz_mask);
    if (const auto* form = find_form(page_shifts[*tcr >> tg1 & 3U], address_bits)) return {*form};
  }
  return {all.begin(), all.end()};
}

}  // namespace

std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory, GuestPhysical root) {
  std::vector<PageTables> found;
  for (const PageTableForm& form : possible_forms()) {
    if (may_be_root(memory, root, form)) found.push_back(tables_at(memory, root, form));
  }
  return found;
}

std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                        const Architecture::FindSymbol& find, GuestVirtual text) {
  const std::optional<GuestPhysical> root = find(table_symbol);
  const std::optional<GuestPhysical> begin = find("_text");
  const std::optional<GuestPhysical> code = find("_stext");
  if (!root || !begin || !code) return std::nullopt;
  // What lies before _stext need not stay mapped.
  const GuestVirtual address = text + (*code - *begin);
  for (const PageTables& tables : possible_kernel_tables(memory, *root)) {
    const auto page = tables.find(address);
    if (page && page->physical_address + (address - page->virtual_address) == *code) return tables;
  }
  return std::nullopt;
}

std::optional<PageTables> dumped_kernel_tables(const GuestMemory& memory, GuestPhysical root,
                                               const Architecture::DumpEntries& entries) {
  if (!number_in(entries, "NUMBER(kimage_voffset)")) return std::nullopt;
  constexpr std::array<unsigned, 3> page_shifts = {12, 14, 16};
  const std::uint64_t page = number_in(entries, "PAGESIZE").value_or(0);
  const auto configured = number_in(entries, "NUMBER(VA_BITS)");
  // A kernel built for more bits than the processor has uses fewer; but of pages of 64 KiB its
  // table is one for 52 in any case.
  const auto unused = number_in(entries, "NUMBER(TCR_EL1_T1SZ)");
  constexpr unsigned largest_page = 16;
  for (const unsigned shift : page_shifts) {
    if (page != std::uint64_t{1} << shift) continue;
    const auto used = unused && shift != largest_page ? std::optional(64 - *unused) : configured;
    if (const auto* form = find_form(shift, used.value_or(0))) {
      return tables_at(memory, root, *form);
    }
  }
  return std::nullopt;
}

Architecture::DumpEntries dump_entries(const PageTables& tables, std::uint64_t place) {
  const unsigned address_bits = tables.form().address_bits;
  return {{"NUMBER(VA_BITS)", fmt::format("{}", address_bits)},
          {"NUMBER(TCR_EL1_T1SZ)", fmt::format("{:#x}", 64 - address_bits)},
          {"NUMBER(kimage_voffset)", fmt::format("{:#x}", place)}};
}

std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory, const Vcpu& vcpu) {
  std::vector<PageTables> candidates;
  if (!vcpu.arm64.ttbr1) return candidates;
  constexpr std::uint64_t base = ((std::uint64_t{1} << 48) - 1) & ~std::uint64_t{1};
  constexpr std::array<std::uint64_t, 4> pages_on = {0, 2, 1, 3};
  for (const PageTableForm& form : forms_of(vcpu.arm64.tcr)) {
    for (const std::uint64_t pages : pages_on) {
      const GuestPhysical root{(*vcpu.arm64.ttbr1 & base) + (pages << form.page_shift)};
      if (may_be_root(memory, root, form)) candidates.push_back(tables_at(memory, root, form));
    }
  }
  return candidates;
}

}  // namespace photon_dmesg::aarch64
