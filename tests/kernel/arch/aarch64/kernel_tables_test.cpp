#include "kernel/arch/aarch64/kernel_tables.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "kernel/arch/aarch64/image_place.h"
#include "support/arm64_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x1000000;
constexpr GuestPhysical load{0x200000};
constexpr std::uint64_t image_bytes = 0x200000;
constexpr std::uint64_t table_in_image = 0x100000;

// An image at `text` whose tables lie in it and map it, and RAM once more.
struct Image {
  Image(const PageTableForm& form, GuestVirtual text, GuestVirtual direct_map)
      : text(text), form(form), builder(memory, load + table_in_image, form) {
    const std::uint64_t page = std::uint64_t{1} << form.page_shift;
    for (std::uint64_t at = 0; at < image_bytes; at += page) {
      builder.map(text + at, load + at, 1, at < image_bytes / 2 ? 0 : arm64_no_execute);
    }
    for (std::uint64_t at = 0; at < 0x800000; at += page) {
      builder.map(direct_map + at, {at}, 1, arm64_no_execute);
    }
  }

  [[nodiscard]] std::optional<GuestPhysical> find(const char* name) const {
    if (std::string(name) == "swapper_pg_dir") return load + table_in_image;
    if (std::string(name) == "_text") return load;
    if (std::string(name) == "_stext") return load + 0x10000;
    return std::nullopt;
  }

  FakeMemory memory{memory_size};
  GuestVirtual text;
  PageTableForm form;
  Arm64TableBuilder builder;
};

Architecture::Range range_of(const PageTables& tables) {
  Budget budget("pages", 1 << 20);
  return aarch64::image_range(tables, budget);
}

}  // namespace

TEST_CASE("arm64 image: it is what is mapped by the same distance as its own tables") {
  for (const PageTableForm& form : aarch64::possible_forms()) {
    INFO("pages of 1 << " << form.page_shift << " bytes, " << form.address_bits << " bits");
    const Image image(form, aarch64::upper_half(form) + 0x8000000, aarch64::first_address(form));
    const Architecture::Range range = range_of(image.builder.tables());
    CHECK(range.begin == image.text);
    CHECK(range.end == image.text + image_bytes);
  }
}

TEST_CASE("arm64 image: until 5.3 it lay in the lower half, and RAM in the upper one") {
  const Image image(aarch64::form_of(12, 48), {0xffff000008080000}, {0xffff800000000000});
  CHECK(range_of(image.builder.tables()).begin == image.text);
}

TEST_CASE("arm64 image: tables that map none of themselves have none") {
  FakeMemory memory(memory_size);
  Arm64TableBuilder builder(memory, {0x100000}, aarch64::form_of(12, 48));
  builder.map({0xffff800008000000}, {0x5000});
  const Architecture::Range range = range_of(builder.tables());
  CHECK(range.begin == range.end);
}

TEST_CASE("arm64 tables by symbols: the form is the one that maps the image") {
  for (const PageTableForm& form : aarch64::possible_forms()) {
    INFO("pages of 1 << " << form.page_shift << " bytes, " << form.address_bits << " bits");
    const Image image(form, aarch64::upper_half(form) + 0x8000000, aarch64::first_address(form));
    const auto find = [&](const char* name) { return image.find(name); };
    const auto tables = aarch64::kernel_tables(image.memory, find, image.text);
    REQUIRE(tables);
    CHECK(tables->form().page_shift == form.page_shift);
    CHECK(tables->form().address_bits == form.address_bits);
    CHECK_FALSE(aarch64::kernel_tables(image.memory, find, image.text + 0x10000));
  }
}

TEST_CASE("arm64 tables by VMCOREINFO: in the form that it tells") {
  const FakeMemory memory(memory_size);
  using Entries = Architecture::DumpEntries;
  const auto bits_of = [&](const Entries& entries) -> unsigned {
    const auto tables = aarch64::dumped_kernel_tables(memory, {0x1000}, entries);
    return tables ? tables->form().address_bits : 0;
  };
  const std::string voffset = "0xffff7fff87e00000";
  CHECK(bits_of({{"PAGESIZE", "4096"},
                 {"NUMBER(VA_BITS)", "48"},
                 {"NUMBER(kimage_voffset)", voffset}}) == 48);
  // The processor has fewer bits than the kernel was built for.
  CHECK(bits_of({{"PAGESIZE", "4096"},
                 {"NUMBER(VA_BITS)", "52"},
                 {"NUMBER(TCR_EL1_T1SZ)", "0x10"},
                 {"NUMBER(kimage_voffset)", voffset}}) == 48);
  CHECK(bits_of({{"PAGESIZE", "65536"},
                 {"NUMBER(VA_BITS)", "52"},
                 {"NUMBER(TCR_EL1_T1SZ)", "0x10"},
                 {"NUMBER(kimage_voffset)", voffset}}) == 52);
  CHECK(bits_of({{"PAGESIZE", "4096"}, {"NUMBER(VA_BITS)", "48"}}) == 0);  // of another machine
  CHECK(bits_of({{"PAGESIZE", "4096"},
                 {"NUMBER(VA_BITS)", "x"},
                 {"NUMBER(kimage_voffset)", voffset}}) == 0);
}

TEST_CASE("arm64 tables by register: also behind the trampoline's") {
  const Image image(aarch64::form_of(12, 48), {0xffff800008000000}, {0xffff000000000000});
  const std::uint64_t root = (load + table_in_image).value;
  constexpr std::uint64_t asid = std::uint64_t{0x53} << 48;
  Vcpu vcpu;
  vcpu.machine = Machine::Aarch64;
  CHECK(aarch64::vcpu_page_tables(image.memory, vcpu).empty());
  vcpu.arm64.ttbr1 = root | asid | 1;
  CHECK(aarch64::vcpu_page_tables(image.memory, vcpu).front().root().value == root);
  vcpu.arm64.ttbr1 = (root - 0x2000) | asid;
  const auto found = aarch64::vcpu_page_tables(image.memory, vcpu);
  REQUIRE_FALSE(found.empty());
  CHECK(found.front().root().value == root);
  // TCR_EL1 tells pages of 16 KiB and 47 bits.
  vcpu.arm64.tcr = std::uint64_t{1} << 30 | 17U << 16U;
  CHECK(aarch64::vcpu_page_tables(image.memory, vcpu).empty());
  vcpu.arm64.tcr = std::uint64_t{2} << 30 | 16U << 16U;
  CHECK(aarch64::vcpu_page_tables(image.memory, vcpu).front().form().address_bits == 48);
}

TEST_CASE("arm64: where kernels are linked, by release") {
  const FakeMemory memory(memory_size);
  const auto linked = [&](unsigned page_shift, unsigned bits, ReleaseNumber release) {
    const PageTables tables(aarch64::architecture(), memory, {0},
                            aarch64::form_of(page_shift, bits));
    return aarch64::architecture().linked_text(tables, release).value;
  };
  CHECK(linked(12, 48, {4, 19}) == 0xffff000008080000);
  CHECK(linked(12, 48, {5, 4}) == 0xffff800010080000);
  CHECK(linked(12, 48, {5, 10}) == 0xffff800010000000);
  CHECK(linked(12, 48, {6, 1}) == 0xffff800008000000);
  CHECK(linked(12, 48, {6, 12}) == 0xffff800080000000);
  CHECK(linked(12, 52, {6, 12}) == 0xffff800080000000);
  CHECK(linked(14, 47, {6, 12}) == 0xffffc00080000000);
}

}  // namespace photon_dmesg::test
