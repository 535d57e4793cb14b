#include "kernel/symbols/btf.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/dwarf_types.h"
#include "support/btf_writer.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/same_symbols.h"

namespace photon_dmesg::test {
namespace {

std::shared_ptr<const Btf> parse(const std::string& text,
                                 std::shared_ptr<const Btf> base = nullptr) {
  const std::span<const std::byte> bytes = as_bytes(text);
  return Btf::parse({bytes.begin(), bytes.end()}, "types", std::move(base));
}

// A member of the only structure of interest.
const MemberLayout& member_of(const Btf& types, const char* structure, const char* member) {
  const StructLayout* layout = types.find_struct(structure);
  REQUIRE(layout != nullptr);
  return layout->member(member);
}

void check_place(const MemberLayout& member, std::uint64_t offset, std::uint64_t size) {
  CAPTURE(member.name);
  CHECK(member.offset == offset);
  CHECK(member.size == size);
  CHECK(member.bit_width == 0);
}

}  // namespace

TEST_CASE("BTF: members have place, size and structure") {
  BtfWriter writer;
  const auto number = writer.integer("unsigned int", 4);
  const auto head = writer.structure("list_head", 16,
                                     {{"next", writer.pointer(number), 0}, {"prev", number, 64}});
  const auto value = writer.structure("value", 8, {{"number", number}}, BtfKind::Union);
  const auto color = writer.enumeration("color", {{"RED", 0}});
  const auto wide = writer.enumeration64("wide", {{"WIDE", 1}});
  writer.structure("task", 128,
                   {{"state", number, 0},
                    {"tasks", head, 64},
                    {"next", writer.pointer(head), 192},
                    {"value", value, 256},
                    {"color", color, 320},
                    {"wide", wide, 384},
                    {"ratio", writer.add(BtfKind::Float, "double", 8), 448},
                    {"comm", writer.array(writer.integer("char", 1), 16), 512},
                    {"heads", writer.array(writer.array(head, 2), 1), 640},
                    {"end", writer.array(head, 0), 1024}});
  const auto types = parse(writer.write());
  REQUIRE(types->find_struct("task") != nullptr);
  CHECK(types->find_struct("task")->size() == 128);
  check_place(member_of(*types, "task", "state"), 0, 4);
  check_place(member_of(*types, "task", "tasks"), 8, 16);
  check_place(member_of(*types, "task", "next"), 24, 8);
  check_place(member_of(*types, "task", "value"), 32, 8);
  check_place(member_of(*types, "task", "color"), 40, 4);
  check_place(member_of(*types, "task", "wide"), 48, 8);
  check_place(member_of(*types, "task", "ratio"), 56, 8);
  check_place(member_of(*types, "task", "comm"), 64, 16);
  check_place(member_of(*types, "task", "heads"), 80, 32);
  check_place(member_of(*types, "task", "end"), 128, 0);
  for (const char* member : {"tasks", "heads", "end"}) {
    CHECK(member_of(*types, "task", member).type == "list_head");
  }
  CHECK(member_of(*types, "task", "value").type == "value");
  for (const char* member : {"state", "next", "color", "comm"}) {
    CHECK(member_of(*types, "task", member).type.empty());
  }
  check_place(member_of(*types, "value", "number"), 0, 4);
  CHECK(types->find_struct("absent") == nullptr);
  CHECK(types->find_struct("unsigned int") == nullptr);
  CHECK(types->find_struct("") == nullptr);
}

TEST_CASE("BTF: says of what a compiler makes the same as DWARF") {
  const ElfImage image{std::filesystem::path(TYPES_BTF_KERNEL)};
  const auto section = image.find_section(".BTF");
  REQUIRE(section);
  const auto types = parse(as_text(image.read(section->range)));
  DwarfTypes expected(image);
  for (const char* name : {"shapes", "inner"}) {
    REQUIRE(types->find_struct(name) != nullptr);
    check_same_layout(*types->find_struct(name), *expected.find_struct(name));
  }
  CHECK(types->find_struct("declared_only") == nullptr);
}

TEST_CASE("BTF: typedefs, qualifiers and tags are looked through") {
  BtfWriter writer;
  const auto lock = writer.structure("lock", 4, {{"value", writer.integer("int", 4)}});
  auto type = lock;
  for (const BtfKind kind :
       {BtfKind::Typedef, BtfKind::Const, BtfKind::Volatile, BtfKind::TypeTag}) {
    type = writer.add(kind, "alias", type);
  }
  writer.structure("outer", 16, {{"lock", type, 32}, {"locks", writer.array(type, 2), 64}});
  const auto types = parse(writer.write());
  check_place(member_of(*types, "outer", "lock"), 4, 4);
  check_place(member_of(*types, "outer", "locks"), 8, 8);
  CHECK(member_of(*types, "outer", "lock").type == "lock");
  CHECK(member_of(*types, "outer", "locks").type == "lock");
}

TEST_CASE("BTF: members of anonymous structures and unions are members of the outer one") {
  BtfWriter writer;
  const auto number = writer.integer("u32", 4);
  const auto inner = writer.structure("", 8, {{"low", number, 0}, {"high", number, 32}});
  const auto choice = writer.structure(
      "", 8, {{"", inner, 0}, {"whole", writer.integer("u64", 8), 0}}, BtfKind::Union);
  writer.structure("outer", 24,
                   {{"first", number, 0},
                    {"", writer.add(BtfKind::Const, "", choice), 64},
                    {"", number, 128},
                    {"flags", number, 160, 3}});
  const auto types = parse(writer.write());
  check_place(member_of(*types, "outer", "low"), 8, 4);
  check_place(member_of(*types, "outer", "high"), 12, 4);
  check_place(member_of(*types, "outer", "whole"), 8, 8);
  CHECK(types->find_struct("outer")->members().size() == 5);
}

TEST_CASE("BTF: bit fields, by the flag of their structure and by their own integer") {
  BtfWriter writer;
  const auto number = writer.integer("unsigned int", 4);
  writer.structure("flags", 8,
                   {{"low", number, 0, 5}, {"crossing", number, 5, 12}, {"plain", number, 32}});
  writer.structure("older", 8,
                   {{"low", writer.bits(4, 5, 0)}, {"high", writer.bits(4, 12, 5), 32}});
  const auto types = parse(writer.write());
  const MemberLayout& crossing = member_of(*types, "flags", "crossing");
  CHECK(crossing.offset == 0);
  CHECK(crossing.size == 3);
  CHECK(crossing.bit_shift == 5);
  CHECK(crossing.bit_width == 12);
  CHECK(member_of(*types, "flags", "low").bit_width == 5);
  check_place(member_of(*types, "flags", "plain"), 4, 4);
  CHECK(member_of(*types, "older", "low").bit_width == 5);
  CHECK(member_of(*types, "older", "high").offset == 4);
  CHECK(member_of(*types, "older", "high").bit_shift == 5);
  CHECK(member_of(*types, "older", "high").bit_width == 12);
}

TEST_CASE("BTF: of several structures of one name the first with members counts") {
  BtfWriter writer;
  const auto number = writer.integer("int", 4);
  writer.structure("task", 4, {{"of_union", number}}, BtfKind::Union);
  writer.structure("task", 0, {});
  writer.structure("task", 4, {{"first", number}});
  writer.structure("task", 4, {{"second", number}});
  writer.structure("empty", 0, {});
  const auto types = parse(writer.write());
  check_place(member_of(*types, "task", "first"), 0, 4);
  REQUIRE(types->find_struct("empty") != nullptr);
  CHECK(types->find_struct("empty")->size() == 0);
}

TEST_CASE("BTF: enumerators have values, signed and wide ones too") {
  BtfWriter writer;
  writer.enumeration("zones", {{"DMA", 0}, {"NORMAL", 2}});
  writer.enumeration("errors", {{"NONE", 0}, {"FAILED", -1}}, true);
  writer.enumeration64("flags", {{"LOW", 1}, {"HIGH", std::uint64_t{1} << 40}});
  writer.enumeration("more", {{"NORMAL", 7}, {"MASK", static_cast<std::int32_t>(0x80000000)}});
  const auto types = parse(writer.write());
  CHECK(types->find_enumerator("DMA") == 0);
  CHECK(types->find_enumerator("NORMAL") == 2);
  CHECK(types->find_enumerator("FAILED") == -1);
  CHECK(types->find_enumerator("HIGH") == std::int64_t{1} << 40);
  CHECK(types->find_enumerator("MASK") == 0x80000000);
  CHECK_FALSE(types->find_enumerator("NORM"));
  CHECK_FALSE(types->find_enumerator("zones"));
}

TEST_CASE("BTF: a module's types go on where the kernel's end") {
  BtfWriter kernel;
  const auto number = kernel.integer("int", 4);
  const auto head = kernel.structure("list_head", 16, {{"next", number}});
  kernel.enumeration("colors", {{"RED", 3}});
  BtfWriter module(kernel);
  module.structure("device", 24, {{"list", head, 0}, {"id", number, 128}});
  module.enumeration("states", {{"READY", 4}});
  const auto base = parse(kernel.write());
  const auto types = parse(module.write(), base);
  CHECK(member_of(*types, "device", "list").type == "list_head");
  check_place(member_of(*types, "device", "id"), 16, 4);
  CHECK(types->find_struct("list_head") == base->find_struct("list_head"));
  CHECK(types->find_enumerator("RED") == 3);
  CHECK(types->find_enumerator("READY") == 4);
  CHECK(base->find_struct("device") == nullptr);
}

TEST_CASE("BTF: every kind of type is passed over by its length") {
  BtfWriter writer;
  const auto number = writer.integer("int", 4);
  const std::string word = BtfWriter::word(number);
  writer.add(BtfKind::Forward, "later", 0);
  writer.add(BtfKind::FunctionProto, "", number, 2, word + word + word + word);
  writer.add(BtfKind::Variable, "runqueues", number, 0, word);
  writer.add(BtfKind::DataSection, ".data..percpu", 4, 1, word + word + word);
  writer.add(BtfKind::DeclarationTag, "tag", number, 0, word);
  writer.structure("last", 4, {{"number", number}});
  const auto types = parse(writer.write(32) + "what follows is not looked at");
  check_place(member_of(*types, "last", "number"), 0, 4);
  CHECK(types->size() == 8);
}

TEST_CASE("BTF: what is no header, and what does not fit it, is refused by name") {
  BtfWriter writer;
  writer.structure("task", 4, {{"number", writer.integer("int", 4)}});
  const std::string whole = writer.write();
  CHECK(find_btf_size(as_bytes(whole)) == whole.size());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput, "types: ", [&] { (void)parse(whole.substr(0, length)); });
  }
  for (const std::size_t at : {0U, 1U, 2U, 5U, 10U, 14U, 18U, 22U}) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    check_fails(Failure::UnusableInput, "types: ", [&] { (void)parse(changed); });
  }
  writer.add(static_cast<BtfKind>(90), "new", 0);
  check_fails(Failure::UnusableInput, "types: expected types of known kinds, found kind 90",
              [&] { (void)parse(writer.write()); });
  BtfWriter cut;
  cut.add(BtfKind::Struct, "task", 4, 1);
  check_fails(Failure::UnusableInput, "types: damaged BTF: its last type is cut off",
              [&] { (void)parse(cut.write()); });
}

TEST_CASE("BTF: a structure that can't be read is not known, the others are") {
  BtfWriter writer;
  const auto number = writer.integer("int", 4);
  writer.structure("sound", 4, {{"number", number}});
  writer.structure("leaves", 4, {{"number", number, 8}});
  writer.structure("missing", 4, {{"number", 1000}});
  writer.structure("void", 4, {{"number", 0}});
  writer.structure("unsized", 4, {{"later", writer.add(BtfKind::Forward, "later", 0)}});
  writer.structure("large", 0x200000, {{"number", number}});
  writer.structure("many", 4, {{"numbers", writer.array(writer.array(number, ~0U), ~0U)}});
  writer.structure("misnamed", 4, {{std::string(600, 'x'), number}});
  const auto types = parse(writer.write());
  CHECK(types->find_struct("sound") != nullptr);
  for (const char* name : {"leaves", "missing", "void", "unsized", "large", "many", "misnamed"}) {
    CAPTURE(name);
    CHECK(types->find_struct(name) == nullptr);
    CHECK(types->find_struct(name) == nullptr);
  }
}

TEST_CASE("BTF: types that lead back to themselves are an end, not a loop") {
  BtfWriter writer;
  const std::uint32_t alias = writer.add(BtfKind::Typedef, "alias", 2);
  writer.add(BtfKind::Const, "", alias);
  writer.structure("aliases", 4, {{"member", alias}});
  writer.add(BtfKind::Array, "", 0, 0,
             BtfWriter::word(4) + BtfWriter::word(4) + BtfWriter::word(1));
  writer.structure("arrays", 4, {{"member", 4}});
  writer.structure("inside", 4, {{"", 6}});
  // Each is twice in the next: far too many members, without a loop.
  std::uint32_t type = writer.integer("int", 4);
  for (int i = 0; i < 15; ++i) {
    type = writer.structure("", 4, {{i == 0 ? "member" : "", type}, {"", type}}, BtfKind::Union);
  }
  writer.structure("wide", 4, {{"", type}});
  const auto types = parse(writer.write());
  for (const char* name : {"aliases", "arrays", "inside", "wide"}) {
    CAPTURE(name);
    CHECK(types->find_struct(name) == nullptr);
  }
}

}  // namespace photon_dmesg::test
