#include "kernel/arch/aarch64/aarch64.h"

#include <fmt/format.h>

#include "checkpoint/guest/privilege.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/aarch64/image_place.h"
#include "kernel/arch/aarch64/kernel_tables.h"
#include "kernel/arch/aarch64/memory_map.h"
#include "kernel/arch/aarch64/page_tables.h"
#include "kernel/arch/aarch64/ram_shifts.h"
#include "kernel/arch/aarch64/references.h"

namespace photon_dmesg::aarch64 {
namespace {

constexpr GuestVirtual highest{~std::uint64_t{0}};

class Aarch64 final : public Architecture {
 public:
  Aarch64()
      : Architecture("aarch64",
                     {.image = {lowest_image, highest},
                      .image_alignment = aarch64::image_alignment,
                      .kernel_half = aarch64::kernel_half,
                      .direct_map = {aarch64::kernel_half, highest},
                      .worth_mapping = {{{aarch64::kernel_half, highest}, {}}},
                      .place_variable = "kimage_voffset",
                      .maps_user = false,
                      // idmap_pg_dir, for when processors switch their tables on.
                      .image_has_other_tables = true},
                     {.notes = &register_notes::arm64_format, .in_task = true}) {}

  // kimage_voffset is the distance itself.
  [[nodiscard]] std::uint64_t image_shift(std::uint64_t place) const override { return place; }
  [[nodiscard]] std::uint64_t image_place(std::uint64_t shift) const override { return shift; }

  // KIMAGE_VADDR, and TEXT_OFFSET until 5.7. What lies before the image are modules, and until 5.10
  // code of BPF programs.
  [[nodiscard]] GuestVirtual linked_text(const PageTables& tables,
                                         ReleaseNumber release) const override {
    constexpr std::uint64_t mebibyte = 1 << 20;
    constexpr std::uint64_t text_offset = 0x80000;
    const PageTableForm& form = tables.form();
    if (release < ReleaseNumber{5, 4}) return first_address(form) + 128 * mebibyte + text_offset;
    if (release < ReleaseNumber{5, 8}) return upper_half(form) + 256 * mebibyte + text_offset;
    if (release < ReleaseNumber{5, 11}) return upper_half(form) + 256 * mebibyte;
    if (release < ReleaseNumber{6, 6}) return upper_half(form) + 128 * mebibyte;
    return upper_half(form) + 2048 * mebibyte;
  }
  // What stands before _stext: measured on 5.10, 6.1 and 6.12.
  [[nodiscard]] std::uint64_t unmapped_beginning(ReleaseNumber release) const override {
    const bool is_unmapped = release >= ReleaseNumber{5, 11} && release < ReleaseNumber{6, 9};
    return is_unmapped ? aarch64::image_alignment : 0;
  }
  [[nodiscard]] Range image_range(const PageTables& tables, Budget& pages) const override {
    return aarch64::image_range(tables, pages);
  }

  [[nodiscard]] std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                          GuestVirtual address) const override {
    return aarch64::find_page(tables, address);
  }
  void for_each_page(const PageTables& tables, Range range,
                     const std::function<void(const PageTables::Page&)>& visit) const override {
    aarch64::for_each_page(tables, range.begin, range.end, [&](const PageTables::Page& page) {
      visit(page);
      return true;
    });
  }

  [[nodiscard]] std::optional<GuestVirtual> instruction_pointer(const Vcpu& vcpu) const override {
    return vcpu.arm64.pc;
  }
  [[nodiscard]] std::optional<GuestVirtual> stack_pointer(const Vcpu& vcpu) const override {
    return vcpu.arm64.sp;
  }
  [[nodiscard]] std::optional<bool> was_in_user_mode(const Vcpu& vcpu) const override {
    return vcpu.arm64.pstate ? std::optional(is_user_state(*vcpu.arm64.pstate)) : std::nullopt;
  }
  // TPIDR_EL1 tells, which no format has.
  [[nodiscard]] std::optional<GuestVirtual> per_cpu_base(const Vcpu& /*vcpu*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::vector<ShownRegister> shown_registers(const Vcpu& vcpu) const override {
    const Arm64Registers& found = vcpu.arm64;
    return {{"pc", "PC", found.pc ? std::optional(found.pc->value) : std::nullopt},
            {"pstate", nullptr, found.pstate},
            {"ttbr1_el1", "TTBR1_EL1", found.ttbr1}};
  }
  [[nodiscard]] std::optional<bool> takes_interrupts(const Vcpu& vcpu) const override {
    constexpr std::uint64_t interrupts_masked = 1U << 7U;  // PSTATE.I
    if (!vcpu.arm64.pstate) return std::nullopt;
    return (*vcpu.arm64.pstate & interrupts_masked) == 0;
  }
  // The vectors hold code, no addresses: nothing to compare.
  [[nodiscard]] std::optional<GuestVirtual> interrupt_table(const Vcpu& /*vcpu*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::span<const char* const> first_handler_names() const override { return {}; }
  [[nodiscard]] std::optional<GuestVirtual> first_handler(const PageTables& /*tables*/,
                                                          GuestVirtual /*table*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::string describe_tables(const Vcpu& vcpu) const override {
    return vcpu.arm64.ttbr1 ? fmt::format("TTBR1_EL1 {:#x}", *vcpu.arm64.ttbr1) : "no TTBR1_EL1";
  }
  [[nodiscard]] std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory,
                                                         const Vcpu& vcpu) const override {
    return aarch64::vcpu_page_tables(memory, vcpu);
  }
  // No format leaves it open.
  void decide_stack_registers(const GuestMemory& /*memory*/, std::vector<Vcpu>& /*vcpus*/,
                              Diagnostics& /*diagnostics*/) const override {}

  [[nodiscard]] std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory,
                                                               GuestPhysical root) const override {
    return aarch64::possible_kernel_tables(memory, root);
  }
  [[nodiscard]] std::vector<std::uint64_t> possible_ram_shifts(
      const GuestMemory& memory, const PhysicalRange& range) const override {
    return aarch64::possible_ram_shifts(memory, range);
  }
  [[nodiscard]] std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                        const FindSymbol& find,
                                                        GuestVirtual text) const override {
    return aarch64::kernel_tables(memory, find, text);
  }
  [[nodiscard]] std::optional<PageTables> dumped_kernel_tables(
      const GuestMemory& memory, GuestPhysical root, const DumpEntries& entries) const override {
    return aarch64::dumped_kernel_tables(memory, root, entries);
  }
  [[nodiscard]] DumpEntries dump_entries(const PageTables& tables,
                                         std::uint64_t place) const override {
    return aarch64::dump_entries(tables, place);
  }

  [[nodiscard]] std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code,
                                                              GuestVirtual begin) const override {
    return aarch64::returned_variable(code, begin);
  }
  void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                          const std::function<void(GuestVirtual)>& visit) const override {
    aarch64::for_each_reference(code, begin, visit);
  }
};

}  // namespace

const Architecture& architecture() {
  static const Aarch64 only;
  return only;
}

}  // namespace photon_dmesg::aarch64
