#include "kernel/self/kallsyms.h"

#include <catch2/catch.hpp>

#include "kernel/arch/machines/machines.h"
#include "support/kallsyms_writer.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t text = kernel_begin;

}  // namespace

TEST_CASE("Kallsyms: symbols as linked, by the place of _text") {
  const Kallsyms kallsyms(KallsymsTable({{'T', {text}, "_text"},
                                         {'t', {text + 0x10}, "twice"},
                                         {'t', {text + 0x20}, "twice"},
                                         {'d', {text + 0x30}, "prevailing"},
                                         {'D', {text + 0x40}, "prevailing"},
                                         {'A', {0x18000}, "per_cpu"},
                                         {'b', {text + 0x50}, "buffer.7"}}),
                          architecture_of(Machine::X86_64), {0xffffffff81000000});
  CHECK(kallsyms.kaslr_offset() == text - 0xffffffff81000000);
  CHECK(kallsyms.find_symbol("_text") == GuestVirtual{0xffffffff81000000});
  CHECK_FALSE(kallsyms.find_symbol("twice"));
  CHECK(kallsyms.find_symbol("prevailing") == GuestVirtual{0xffffffff81000040});
  CHECK_FALSE(kallsyms.find_symbol("absent"));
  CHECK_FALSE(kallsyms.find_symbol(""));
  // Only what is in the image moves with it.
  CHECK(kallsyms.find_symbol("per_cpu") == GuestVirtual{0x18000});
  CHECK_FALSE(kallsyms.find_symbol("buffer"));
  CHECK(kallsyms.find_static("buffer") == GuestVirtual{0xffffffff81000050});
  const auto function = kallsyms.find_function("prevailing");
  REQUIRE(function);
  CHECK(function->begin == GuestVirtual{text + 0x40});
  CHECK(function->size == 0x10);
  CHECK(kallsyms.find_place({0xffffffff81000045})->name == "prevailing");
  CHECK(kallsyms.find_place({0xffffffff81000045})->offset == 5);
  CHECK_FALSE(kallsyms.find_place({0xffffffff80000000}));
}

TEST_CASE("Kallsyms: of functions only, where _stext does not begin the image") {
  const Kallsyms kallsyms(KallsymsTable({{'T', {text + 0x1c0}, "_stext"}}),
                          architecture_of(Machine::X86_64), {0xffffffff81000000});
  CHECK(kallsyms.kaslr_offset() == text - 0xffffffff81000000);
  // On arm64 _stext is as far behind _text as the image is aligned.
  constexpr std::uint64_t linked = 0xffff800008000000;
  for (const std::uint64_t moved : {0x0U, 0x419d0000U}) {
    CHECK(Kallsyms(KallsymsTable({{'T', {linked + moved + 0x10000}, "_stext"}}),
                   architecture_of(Machine::Aarch64), {linked})
              .kaslr_offset() == moved);
  }
}

TEST_CASE("Kallsyms: a kernel at a place that KASLR does not lead to is linked there") {
  const auto offset = [](const char* name, std::uint64_t at, Machine machine, GuestVirtual usual) {
    const Kallsyms kallsyms(KallsymsTable({{'T', {at}, name}, {'t', {at + 0x40}, "function"}}),
                            architecture_of(machine), usual);
    CHECK(kallsyms.find_symbol("function") == GuestVirtual{at + 0x40 - kallsyms.kaslr_offset()});
    return kallsyms.kaslr_offset();
  };
  constexpr GuestVirtual usual{0xffffffff81000000};
  // CONFIG_PHYSICAL_START below 16 MiB.
  CHECK(offset("_text", 0xffffffff80200000, Machine::X86_64, usual) == 0);
  CHECK(offset("_stext", 0xffffffff802001c0, Machine::X86_64, usual) == 0);
  CHECK(offset("_text", 0xffffffff81100000, Machine::X86_64, usual) == 0);  // no multiple of 2 MiB
  CHECK(offset("_text", 0xffffffff81200000, Machine::X86_64, usual) == 0x200000);
  CHECK(offset("_stext", 0xffff000008010000, Machine::Aarch64, {0xffff800008000000}) == 0);
}

}  // namespace photon_dmesg::test
