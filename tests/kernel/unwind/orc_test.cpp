#include "kernel/unwind/orc.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

using Base = OrcEntry::Base;
using Type = OrcEntry::Type;

// Hashes of how entries are laid out, as orc_header holds them since 6.3.
constexpr const char* format_of_6_3 = "db84aed4103b31dd51e017f8f79783ca985c2c51";
constexpr const char* format_of_6_4 = "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24";
constexpr const char* format_of_7_1 = "137c36ad7627c4dd55932176bb0ecdbd5041fc82";

// A table in which two functions are calls by %rsp, with `bits` for that, and one is what a test
// asks for.
struct Table {
  TaskGuest guest;
  GuestVirtual first = guest.function("first");
  GuestVirtual second = guest.function("second");
  GuestVirtual third = guest.function("third");

  Table(std::uint16_t call_bits, std::uint16_t bits, const std::string& hash = "") {
    guest.orc({{first, 8, -16, call_bits}, {second, 16, 0, call_bits}, {third, 24, -32, bits}},
              hash);
  }

  std::optional<OrcTables> find() {
    return OrcTables::find(guest.kernel(), {}, guest.diagnostics());
  }
  OrcEntry entry(GuestVirtual address) {
    const auto tables = find();
    REQUIRE(tables);
    const auto entry = tables->find(address);
    REQUIRE(entry);
    return *entry;
  }
};

std::string how_it_was_told(TaskGuest& guest) {
  for (const Evidence& evidence : guest.diagnostics().evidence()) {
    if (evidence.what == "ORC tables") return evidence.value + ": " + evidence.how;
  }
  return "not at all";
}

// Calls by %rsp with the frame pointer saved: sp_reg | bp_reg << 4 | type << 8.
constexpr std::uint16_t old_call = 5 | 1 << 4;  // until 6.3, where the type Call is 0
constexpr std::uint16_t call_of_6_4 = 5 | 1 << 4 | 2 << 8;
constexpr std::uint16_t call_of_7_1 = 3 | 8 << 4 | 2 << 8;

}  // namespace

TEST_CASE("ORC: the entry of a place is the last one in front of it") {
  Table table(call_of_6_4, call_of_6_4, format_of_6_4);
  CHECK(table.entry(table.first).sp_offset == 8);
  CHECK(table.entry(table.first + 0xff).sp_offset == 8);
  CHECK(table.entry(table.second).sp_offset == 16);
  CHECK(table.entry(table.third + 0x10).sp_offset == 24);
  CHECK(table.entry(table.third + 0x10).bp_offset == -32);
  const auto tables = table.find();
  CHECK_FALSE(tables->find({table.first.value - 1}));
  CHECK_FALSE(tables->find(TaskGuest::module_begin));
  CHECK_FALSE(tables->find({0}));
}

TEST_CASE("ORC: the form of 4.14 to 6.2, told by its entries") {
  Table table(old_call, 4 | 4 << 4 | 1 << 8);
  const OrcEntry call = table.entry(table.first);
  CHECK(call.type == Type::Call);
  CHECK(call.sp_base == Base::Sp);
  CHECK(call.bp_base == Base::PreviousSp);
  CHECK(call.bp_offset == -16);
  const OrcEntry regs = table.entry(table.third);
  CHECK(regs.type == Type::Regs);
  CHECK(regs.sp_base == Base::Bp);
  CHECK(regs.bp_base == Base::Bp);
  CHECK(how_it_was_told(table.guest) ==
        "3 entries of the form of 4.14 to 6.2: most entries make sense so");
}

TEST_CASE("ORC: the end of a stack in each form") {
  SECTION("4.14 to 6.2") {
    Table table(old_call, 1 << 10);
    CHECK(table.entry(table.third).type == Type::EndOfStack);
  }
  SECTION("6.3, by its header") {
    Table table(old_call, 1 << 11, format_of_6_3);
    CHECK(table.entry(table.third).type == Type::EndOfStack);
  }
  SECTION("6.3, told by its entries: the bit is another one") {
    Table table(old_call, 1 << 11);
    CHECK(table.entry(table.third).type == Type::EndOfStack);
    CHECK_THAT(how_it_was_told(table.guest), Catch::Contains("the form of 6.3:"));
  }
  SECTION("6.4 to 7.0") {
    Table table(call_of_6_4, 1 << 8, format_of_6_4);
    CHECK(table.entry(table.third).type == Type::EndOfStack);
  }
  SECTION("7.1") {
    Table table(call_of_7_1, 1 << 8, format_of_7_1);
    CHECK(table.entry(table.third).type == Type::EndOfStack);
  }
}

TEST_CASE("ORC: a place of which nothing is told, in each form") {
  SECTION("4.14 to 6.2") {
    Table table(old_call, 0);
    CHECK(table.entry(table.third).type == Type::Undefined);
  }
  SECTION("6.3") {
    Table table(old_call, 1 << 10, format_of_6_3);  // `signal`
    CHECK(table.entry(table.third).type == Type::Undefined);
  }
  SECTION("6.4 to 7.0") {
    Table table(call_of_6_4, 0, format_of_6_4);
    CHECK(table.entry(table.third).type == Type::Undefined);
  }
}

TEST_CASE("ORC: registers that a stack is found by have other numbers since 7.1") {
  struct Number {
    Base base;
    unsigned until_7_0;
    unsigned since_7_1;
  };
  for (const auto& [base, until_7_0, since_7_1] :
       {Number{Base::PreviousSp, 1, 8}, Number{Base::Rdx, 2, 2}, Number{Base::Rdi, 3, 5},
        Number{Base::Bp, 4, 4}, Number{Base::Sp, 5, 3}, Number{Base::R10, 6, 6},
        Number{Base::R13, 7, 7}, Number{Base::BpIndirect, 8, 10}, Number{Base::SpIndirect, 9, 9}}) {
    INFO("number " << until_7_0);
    Table old(call_of_6_4, static_cast<std::uint16_t>(until_7_0 | 2U << 8), format_of_6_4);
    CHECK(old.entry(old.third).sp_base == base);
    Table now(call_of_7_1, static_cast<std::uint16_t>(since_7_1 | 2U << 8), format_of_7_1);
    CHECK(now.entry(now.third).sp_base == base);
  }
}

TEST_CASE("ORC: registers that an exception left, whole and in part, in each form") {
  const auto type_of = [](std::uint16_t call, unsigned type, const char* hash) {
    Table table(call, static_cast<std::uint16_t>((call & 0xffU) | type << 8), hash);
    return table.entry(table.third).type;
  };
  CHECK(type_of(old_call, 1, "") == Type::Regs);
  CHECK(type_of(old_call, 2, "") == Type::RegsPartial);
  CHECK(type_of(old_call, 1, format_of_6_3) == Type::Regs);
  CHECK(type_of(call_of_6_4, 3, format_of_6_4) == Type::Regs);
  CHECK(type_of(call_of_6_4, 4, format_of_6_4) == Type::RegsPartial);
  CHECK(type_of(call_of_7_1, 3, format_of_7_1) == Type::Regs);
  CHECK(type_of(call_of_7_1, 4, format_of_7_1) == Type::RegsPartial);
}

TEST_CASE("ORC: a header decides, whatever the entries look like") {
  Table table(call_of_7_1, call_of_7_1, format_of_7_1);
  CHECK(table.entry(table.first).sp_base == Base::Sp);
  CHECK(how_it_was_told(table.guest) == "3 entries of the form of 7.1: its header says so");
}

TEST_CASE("ORC: with a header that is not known the entries tell") {
  const std::string unknown(40, 'a');
  Table since_6_4(call_of_6_4, call_of_6_4, unknown);
  CHECK(since_6_4.entry(since_6_4.first).type == Type::Call);
  CHECK_THAT(how_it_was_told(since_6_4.guest), Catch::Contains("6.4 to 7.0: most entries"));
  Table since_7_1(call_of_7_1, call_of_7_1, unknown);
  CHECK(since_7_1.entry(since_7_1.first).sp_base == Base::Sp);
  CHECK_THAT(how_it_was_told(since_7_1.guest), Catch::Contains("7.1: most entries"));
}

TEST_CASE("ORC: a table that makes sense in no form is not used, with a warning") {
  Table table(0xffff, 0xffff);
  CHECK_FALSE(table.find());
  REQUIRE(table.guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(table.guest.diagnostics().warnings()[0],
             Catch::Contains("(ORC) are of no known form"));
}

TEST_CASE("ORC: a kernel without tables has none, and that is no warning") {
  TaskGuest guest;
  CHECK_FALSE(OrcTables::find(guest.kernel(), {}, guest.diagnostics()));
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("ORC: bounds that make no sense are no table") {
  TaskGuest guest;
  guest.symbol("__start_orc_unwind_ip", TaskGuest::linked_text + 0x300000);
  guest.symbol("__stop_orc_unwind_ip", TaskGuest::linked_text + 0x200000);
  guest.symbol("__start_orc_unwind", TaskGuest::linked_text + 0x300000);
  CHECK_FALSE(OrcTables::find(guest.kernel(), {}, guest.diagnostics()));
}

TEST_CASE("ORC: a table that is cut tells nothing of what is missing") {
  TaskGuest guest;
  const GuestVirtual function = guest.function("some");
  // Its header is there, its entries are not.
  const GuestVirtual header = guest.variable("orc_header", 20);
  for (std::uint64_t i = 0; i < 20; ++i) {
    guest.write(header + i, std::stoul(std::string(format_of_6_4).substr(2 * i, 2), nullptr, 16),
                1);
  }
  const GuestVirtual addresses = guest.variable("__start_orc_unwind_ip", 16);
  guest.symbol("__stop_orc_unwind_ip",
               {addresses.value - TaskGuest::kaslr_offset + (std::uint64_t{1} << 28)});
  guest.symbol("__start_orc_unwind", {0xffffffffbf000000 - TaskGuest::kaslr_offset});
  const auto tables = OrcTables::find(guest.kernel(), {}, guest.diagnostics());
  REQUIRE(tables);
  CHECK_FALSE(tables->find(function));
}

TEST_CASE("ORC: a module has a table of its own, in the kernel's form") {
  Table table(call_of_6_4, call_of_6_4, format_of_6_4);
  for (const GuestVirtual begin : {TaskGuest::module_begin, GuestVirtual{0xffffffffa0000000}}) {
    // The second is where modules begin without KASLR: an image might still be there.
    INFO(hex(begin));
    Module module;
    module.text = {{begin, 0x1000}};
    const GuestVirtual addresses = table.guest.variable("", 8);
    const GuestVirtual entries = table.guest.variable("", 16);
    table.guest.write(addresses, begin - addresses, 4);
    table.guest.write(addresses + 4, begin + 0x100 - (addresses + 4), 4);
    table.guest.write_bytes(entries, {8, 0, 0, 0, 0x05, 2, 48, 0, 0, 0, 0x05, 2});
    module.orc = OrcRange{addresses, entries, 2};
    const auto tables = OrcTables::find(table.guest.kernel(), {module}, table.guest.diagnostics());
    REQUIRE(tables);
    REQUIRE(tables->find(begin + 0x120));
    CHECK(tables->find(begin + 0x120)->sp_offset == 48);
    CHECK(tables->find(begin + 0x20)->sp_offset == 8);
    CHECK(tables->find(table.second)->sp_offset == 16);
  }
}

}  // namespace photon_dmesg::test
