#include "kernel/arch/x86_64/x86_64.h"

#include <fmt/format.h>

#include <array>

#include "base/little_endian.h"
#include "checkpoint/guest/privilege.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/x86_64/kernel_tables.h"
#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/arch/x86_64/page_tables.h"
#include "kernel/arch/x86_64/references.h"
#include "kernel/arch/x86_64/stack_registers.h"
#include "kernel/arch/x86_64/vcpu_tables.h"

namespace photon_dmesg::x86_64 {
namespace {

constexpr std::array handler_names = {"asm_exc_divide_error", "divide_error"};  // since 5.8, before

// The little-endian number of `width` bytes at `address`, all in one page.
std::optional<std::uint64_t> read_number(const PageTables& tables, GuestVirtual address,
                                         std::size_t width) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  const std::span<std::byte> target = std::span(bytes).first(width);
  const auto page = tables.find(address);
  if (!page ||
      !tables.memory().read(page->physical_address + (address - page->virtual_address), target)) {
    return std::nullopt;
  }
  return load_unsigned(target);
}

class X8664 final : public Architecture {
 public:
  X8664()
      : Architecture("x86_64",
                     {.image = {start_kernel_map, kernel_image_end},
                      .image_alignment = kernel_alignment,
                      .kernel_half = x86_64::kernel_half,
                      .direct_map = {x86_64::kernel_half, start_kernel_map},
                      .worth_mapping = {{{x86_64::kernel_half, espfix_stacks},
                                         {past_espfix_stacks, {~std::uint64_t{0}}}}},
                      .place_variable = "phys_base"},
                     {.notes = &register_notes::x86_64_format}) {}

  // phys_base counts from where the image may begin.
  [[nodiscard]] std::uint64_t image_shift(std::uint64_t place) const override {
    return start_kernel_map.value - place;
  }
  [[nodiscard]] std::uint64_t image_place(std::uint64_t shift) const override {
    return start_kernel_map.value - shift;
  }
  [[nodiscard]] GuestVirtual linked_text(const PageTables& /*tables*/,
                                         ReleaseNumber /*release*/) const override {
    return x86_64::linked_text;
  }
  [[nodiscard]] std::uint64_t unmapped_beginning(ReleaseNumber /*release*/) const override {
    return 0;
  }
  // The image and modules, nothing else.
  [[nodiscard]] Range image_range(const PageTables& /*tables*/, Budget& /*pages*/) const override {
    return map().image;
  }

  [[nodiscard]] std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                          GuestVirtual address) const override {
    return x86_64::find_page(tables, address);
  }
  void for_each_page(const PageTables& tables, Range range,
                     const std::function<void(const PageTables::Page&)>& visit) const override {
    x86_64::for_each_page(tables, range.begin, range.end, visit);
  }
  [[nodiscard]] std::optional<GuestVirtual> instruction_pointer(const Vcpu& vcpu) const override {
    return vcpu.x86.rip;
  }
  [[nodiscard]] std::optional<bool> was_in_user_mode(const Vcpu& vcpu) const override {
    return vcpu.x86.cs ? std::optional(is_user_code(*vcpu.x86.cs)) : std::nullopt;
  }
  // What the GS base is while it is in the kernel.
  [[nodiscard]] std::optional<GuestVirtual> per_cpu_base(const Vcpu& vcpu) const override {
    return was_in_user_mode(vcpu) == false ? vcpu.x86.gs_base : std::nullopt;
  }
  [[nodiscard]] std::vector<ShownRegister> shown_registers(const Vcpu& vcpu) const override {
    const X86Registers& found = vcpu.x86;
    return {{"rip", "RIP", found.rip ? std::optional(found.rip->value) : std::nullopt},
            {.key = "cs", .title = nullptr, .value = found.cs, .is_decimal = true},
            {"cr3", "CR3", found.cr[3]}};
  }
  [[nodiscard]] std::optional<bool> takes_interrupts(const Vcpu& vcpu) const override {
    constexpr std::uint64_t interrupt_flag = 1U << 9U;  // RFLAGS.IF
    if (!vcpu.x86.rflags) return std::nullopt;
    return (*vcpu.x86.rflags & interrupt_flag) != 0;
  }
  [[nodiscard]] std::optional<GuestVirtual> stack_pointer(const Vcpu& vcpu) const override {
    const std::optional<std::uint64_t>& rsp = vcpu.x86.general[4];
    return rsp && !vcpu.x86.stack_registers_in_doubt ? std::optional(GuestVirtual{*rsp})
                                                     : std::nullopt;
  }
  [[nodiscard]] std::optional<GuestVirtual> interrupt_table(const Vcpu& vcpu) const override {
    return vcpu.x86.idt_base;
  }
  [[nodiscard]] std::string describe_tables(const Vcpu& vcpu) const override {
    return vcpu.x86.cr[3] ? fmt::format("CR3 {:#x}", *vcpu.x86.cr[3]) : "no CR3";
  }
  [[nodiscard]] std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory,
                                                         const Vcpu& vcpu) const override {
    return photon_dmesg::vcpu_page_tables(memory, vcpu);
  }
  void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                              Diagnostics& diagnostics) const override {
    photon_dmesg::decide_stack_registers(memory, vcpus, diagnostics);
  }
  [[nodiscard]] std::vector<PageTables> possible_kernel_tables(const GuestMemory& memory,
                                                               GuestPhysical root) const override {
    return x86_64::possible_kernel_tables(memory, root);
  }
  // It begins at 0.
  [[nodiscard]] std::vector<std::uint64_t> possible_ram_shifts(
      const GuestMemory& /*memory*/, const PhysicalRange& /*range*/) const override {
    return {};
  }
  [[nodiscard]] std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                        const FindSymbol& find,
                                                        GuestVirtual /*text*/) const override {
    return x86_64::kernel_tables(memory, find);
  }
  [[nodiscard]] std::optional<PageTables> dumped_kernel_tables(
      const GuestMemory& memory, GuestPhysical root, const DumpEntries& entries) const override {
    return x86_64::dumped_kernel_tables(memory, root, entries);
  }
  [[nodiscard]] DumpEntries dump_entries(const PageTables& tables,
                                         std::uint64_t place) const override {
    constexpr unsigned five = 5;
    return {{"NUMBER(phys_base)", fmt::format("{}", static_cast<std::int64_t>(place))},
            {"NUMBER(pgtable_l5_enabled)", tables.levels() == five ? "1" : "0"}};
  }
  [[nodiscard]] std::span<const char* const> first_handler_names() const override {
    return handler_names;
  }
  // Gate 0 (Intel SDM volume 3, 6.14.1).
  [[nodiscard]] std::optional<GuestVirtual> first_handler(const PageTables& tables,
                                                          GuestVirtual table) const override {
    const auto low = read_number(tables, table, 2);
    const auto middle = read_number(tables, table + 6, 2);
    const auto high = read_number(tables, table + 8, 4);
    if (!low || !middle || !high) return std::nullopt;
    return GuestVirtual{*high << 32U | *middle << 16U | *low};
  }
  [[nodiscard]] std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code,
                                                              GuestVirtual begin) const override {
    return x86_64::returned_variable(code, begin);
  }
  void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                          const std::function<void(GuestVirtual)>& visit) const override {
    x86_64::for_each_reference(code, begin, visit);
  }
};

}  // namespace

const Architecture& architecture() {
  static const X8664 only;
  return only;
}

}  // namespace photon_dmesg::x86_64
