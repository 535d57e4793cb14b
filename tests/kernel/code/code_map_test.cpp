#include "kernel/code/code_map.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "support/bytes.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// A module with code and symbols, in no list: what read_modules() gives of it.
class MadeModule {
 public:
  MadeModule(TaskGuest& guest, GuestVirtual begin, std::uint64_t most_symbols = 100)
      : guest_(guest) {
    module_.name = "lab";
    module_.address = guest.allocate(8);
    module_.text = {{begin, 0x1000}};
    module_.data = {{begin + 0x2000, 0x1000}};
    module_.symbols = guest.allocate(most_symbols * sizeof(Elf64_Sym));
    module_.strings = guest.allocate(most_symbols * 20);
  }

  void symbol(const std::string& name, std::uint64_t offset, std::uint16_t section = 1) {
    Elf64_Sym symbol{};
    symbol.st_name = names_;
    symbol.st_shndx = section;
    symbol.st_value = (module_.text[0].begin + offset).value;
    guest_.write_text(module_.strings + names_, name);
    names_ += static_cast<std::uint32_t>(name.size() + 1);
    std::uint64_t at = 0;
    for (const char byte : as_text(std::as_bytes(std::span(&symbol, 1)))) {
      guest_.write(module_.symbols + module_.symbol_count * sizeof(symbol) + at++,
                   static_cast<unsigned char>(byte), 1);
    }
    ++module_.symbol_count;
  }

  [[nodiscard]] Module& module() { return module_; }

 private:
  TaskGuest& guest_;
  Module module_;
  std::uint32_t names_ = 0;
};

std::string describe(const std::optional<CodePlace>& place) {
  return place ? photon_dmesg::describe(*place) : "none";
}

constexpr GuestVirtual module_begin = TaskGuest::module_begin;

}  // namespace

TEST_CASE("code: the image's functions at their run-time addresses") {
  TaskGuest guest;
  const GuestVirtual schedule = guest.function("schedule", 0x80);
  guest.function("next");
  const CodeMap code(guest.kernel(), {});
  CHECK(describe(code.place(schedule + 5)) == "schedule+0x5/0x80");
  CHECK(code.is_text(schedule));
  CHECK_FALSE(code.is_text({schedule.value - TaskGuest::kaslr_offset}));
  CHECK_FALSE(code.is_text(module_begin));
  CHECK_FALSE(code.is_text({0}));
  CHECK_FALSE(code.is_text({~std::uint64_t{0}}));
}

TEST_CASE("code: a return address belongs to the call in front of it") {
  TaskGuest guest;
  guest.function("panics", 0x80);
  const GuestVirtual next = guest.function("next", 0x80);
  guest.function("last");
  const CodeMap code(guest.kernel(), {});
  // The last instruction of a function that does not return is a call.
  CHECK(describe(code.place_of_call(next)) == "panics+0x80/0x80");
  CHECK(describe(code.place_of_call(next + 5)) == "next+0x5/0x80");
  CHECK(describe(code.place_of_call({0})) == "none");
}

TEST_CASE("code: a module's functions by its own symbols") {
  TaskGuest guest;
  MadeModule lab(guest, module_begin);
  lab.symbol("", 0, SHN_UNDEF);
  lab.symbol("lab_read", 0x40);
  lab.symbol("lab_write", 0x10);
  lab.symbol("lab_lock", 0x2010);
  const CodeMap code(guest.kernel(), {lab.module()});
  CHECK(describe(code.place(module_begin + 0x44)) == "lab_read+0x4/0xfc0 [lab]");
  CHECK(describe(code.place(module_begin + 0x10)) == "lab_write+0x0/0x30 [lab]");
  CHECK(describe(code.place(module_begin + 0x8)) == "none");
  CHECK(describe(code.place(module_begin + 0x1000)) == "none");
  CHECK(code.is_text(module_begin + 0xfff));
  CHECK_FALSE(code.is_text(module_begin + 0x2010));
  CHECK(code.find_module(module_begin)->name == "lab");
  CHECK(code.find_module(module_begin + 0x1000) == nullptr);
  CHECK(describe(code.place_of_data(module_begin + 0x2018)) == "lab_lock+0x8/0xff0 [lab]");
  CHECK(describe(code.place_of_data(module_begin + 0x2000)) == "none");
}

TEST_CASE("code: of a module's names at one place the first in its table counts") {
  TaskGuest guest;
  MadeModule lab(guest, module_begin);
  lab.symbol("null_init", 0x40);
  lab.symbol("init_module", 0x40);
  const CodeMap code(guest.kernel(), {lab.module()});
  CHECK(describe(code.place(module_begin + 0x41)) == "null_init+0x1/0xfc0 [lab]");
}

TEST_CASE("code: a module may have any number of symbols") {
  TaskGuest guest;
  MadeModule lab(guest, module_begin, 5000);
  for (int i = 0; i < 4999; ++i) lab.symbol("lab_variable", 0x2000);
  lab.symbol("lab_read", 0x40);
  const CodeMap code(guest.kernel(), {lab.module()});
  CHECK(describe(code.place(module_begin + 0x41)) == "lab_read+0x1/0xfc0 [lab]");
  CHECK(describe(code.place_of_data(module_begin + 0x2000)) == "lab_variable+0x0/0x1000 [lab]");
}

TEST_CASE("code: of modules that lie over each other, as damage has it, the first counts") {
  TaskGuest guest;
  MadeModule first(guest, module_begin + 0x800);
  MadeModule second(guest, module_begin);
  first.symbol("first_read", 0);
  second.symbol("second_read", 0);
  second.module().name = "second";
  const CodeMap code(guest.kernel(), {first.module(), second.module()});
  CHECK(code.find_module(module_begin + 0x7ff)->name == "second");
  CHECK(code.find_module(module_begin + 0x800)->name == "lab");
  CHECK(describe(code.place(module_begin + 0x7ff)) == "second_read+0x7ff/0x1000 [second]");
  CHECK(describe(code.place(module_begin + 0xfff)) == "first_read+0x7ff/0x1000 [lab]");
  CHECK(code.is_text(module_begin + 0x17ff));
  CHECK_FALSE(code.is_text(module_begin + 0x1800));
}

TEST_CASE("code: a module's labels are no functions") {
  TaskGuest guest;
  MadeModule lab(guest, module_begin);
  lab.symbol("lab_read", 0x40);
  lab.symbol(".Lloop", 0x50);
  lab.symbol("$x", 0x60);
  lab.symbol("", 0x70);
  const CodeMap code(guest.kernel(), {lab.module()});
  const auto place = code.place(module_begin + 0x75);
  REQUIRE(place);
  CHECK(place->symbol == "lab_read");
  CHECK(place->offset == 0x35);
  CHECK(describe(code.place(module_begin + 0x45)) == "lab_read+0x5/0xfc0 [lab]");
}

TEST_CASE("code: names at the end of what is mapped, and names that are not there") {
  TaskGuest guest;
  MadeModule lab(guest, module_begin);
  lab.symbol("lab_read", 0x40);
  SECTION("at the end") {
    constexpr std::uint64_t module_space = 0x400000;
    lab.module().strings = module_begin + (module_space - 32);
    guest.write_text(lab.module().strings, "lab_last");
    const CodeMap code(guest.kernel(), {lab.module()});
    CHECK(describe(code.place(module_begin + 0x41)) == "lab_last+0x1/0xfc0 [lab]");
  }
  SECTION("names not mapped") {
    lab.module().strings = TaskGuest::nowhere;
    const CodeMap code(guest.kernel(), {lab.module()});
    CHECK(describe(code.place(module_begin + 0x41)) == "none");
    CHECK(code.is_text(module_begin + 0x41));
  }
  SECTION("table not mapped, however long it is said to be") {
    lab.module().symbols = TaskGuest::nowhere;
    lab.module().symbol_count = 1 << 22;
    const CodeMap code(guest.kernel(), {lab.module()});
    CHECK(describe(code.place(module_begin + 0x41)) == "none");
  }
}

TEST_CASE("code: without KASLR modules begin where an image might still be") {
  TaskGuest guest;
  guest.function("schedule");
  constexpr GuestVirtual begin{0xffffffffa0000000};  // MODULES_VADDR without RANDOMIZE_BASE
  MadeModule lab(guest, begin);
  lab.symbol("lab_read", 0x40);
  lab.symbol("lab_lock", 0x2010);
  const CodeMap code(guest.kernel(), {lab.module()});
  CHECK(code.is_text(begin + 0x41));
  CHECK(describe(code.place(begin + 0x41)) == "lab_read+0x1/0xfc0 [lab]");
  CHECK(describe(code.place_of_data(begin + 0x2010)) == "lab_lock+0x0/0xff0 [lab]");
}

TEST_CASE("code: a variable of the image by the symbol in front of it") {
  TaskGuest guest;
  const GuestVirtual lock = guest.variable("some_lock");
  const CodeMap code(guest.kernel(), {});
  const auto place = code.place_of_data(lock + 8);
  REQUIRE(place);
  CHECK(place->symbol == "some_lock");
  CHECK(place->offset == 8);
  CHECK(place->module.empty());
  CHECK_FALSE(code.place_of_data(guest.allocate(8)));
}

}  // namespace photon_dmesg::test
