#include "kernel/code/modules.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// The layouts that struct module has had of where its code is.
enum class Layout { Until44, Until63, Since64 };

constexpr std::uint64_t list = 8, name = 24, kallsyms = 128, code = 192, arch = 448;

struct Modules {
  TaskGuest guest;
  GuestVirtual head = guest.variable("modules");

  explicit Modules(Layout layout) {
    std::vector<MadeMember> members = {{"list", list, 16},
                                       {"name", name, 56},
                                       {"kallsyms", kallsyms},
                                       {"arch", arch, 32, "mod_arch_specific"}};
    if (layout == Layout::Until44) {
      members.insert(members.end(), {{"module_init", code},
                                     {"module_core", code + 8},
                                     {"init_text_size", code + 16, 4},
                                     {"core_size", code + 20, 4},
                                     {"core_text_size", code + 24, 4}});
    } else if (layout == Layout::Until63) {
      members.push_back({"core_layout", code, 32, "module_layout"});
      members.push_back({"init_layout", code + 32, 32, "module_layout"});
      guest.type("module_layout", 32, {{"base", 0}, {"size", 8, 4}, {"text_size", 12, 4}});
    } else {
      members.push_back({"mem", code, std::uint64_t{7} * 32, "module_memory"});
      guest.type("module_memory", 32, {{"base", 0}, {"size", 16, 4}});
    }
    guest.type("module", 512, members);
    guest.type("mod_arch_specific", 32,
               {{"num_orcs", 0, 4}, {"orc_unwind_ip", 8}, {"orc_unwind", 16}});
    guest.type("mod_kallsyms", 32, {{"symtab", 0}, {"num_symtab", 8, 4}, {"strtab", 16}});
    guest.begin_list(head);
  }

  GuestVirtual add(const std::string& called) {
    const GuestVirtual module = guest.allocate(512);
    guest.write_text(module + name, called);
    guest.append(head, module + list);
    return module;
  }

  std::vector<Module> read() {
    return read_modules(guest.kernel(), guest.types(), guest.diagnostics());
  }
};

// "begin+size" of each.
std::vector<std::string> describe(const std::vector<CodeRange>& ranges) {
  std::vector<std::string> all;
  for (const CodeRange& range : ranges)
    all.push_back(fmt::format("{}+{:#x}", range.begin, range.size));
  return all;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("modules: where their code is, until 4.4") {
  Modules modules(Layout::Until44);
  const GuestVirtual module = modules.add("ext4");
  modules.guest.write(module + code, 0xffffffffc0100000);
  modules.guest.write(module + code + 8, 0xffffffffc0000000);
  modules.guest.write(module + code + 16, 0x100, 4);
  modules.guest.write(module + code + 20, 0x9000, 4);
  modules.guest.write(module + code + 24, 0x5000, 4);
  const auto found = modules.read();
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "ext4");
  CHECK(describe(found[0].text) ==
        Strings{"0xffffffffc0000000+0x5000", "0xffffffffc0100000+0x100"});
  CHECK(describe(found[0].data) == Strings{"0xffffffffc0000000+0x9000"});
}

TEST_CASE("modules: where their code is, from 4.5 to 6.3") {
  Modules modules(Layout::Until63);
  const GuestVirtual module = modules.add("ext4");
  modules.guest.write(module + code, 0xffffffffc0000000);
  modules.guest.write(module + code + 8, 0x9000, 4);
  modules.guest.write(module + code + 12, 0x5000, 4);
  const auto found = modules.read();
  REQUIRE(found.size() == 1);
  CHECK(describe(found[0].text) == Strings{"0xffffffffc0000000+0x5000"});
  CHECK(describe(found[0].data) == Strings{"0xffffffffc0000000+0x9000"});
}

TEST_CASE("modules: where their code is, since 6.4, and that of an init function that runs") {
  Modules modules(Layout::Since64);
  const GuestVirtual module = modules.add("lab");
  for (std::uint64_t i = 0; i < 7; ++i) {
    modules.guest.write(module + code + i * 32, 0xffffffffc0000000 + i * 0x10000);
    modules.guest.write(module + code + i * 32 + 16, 0x1000 + i, 4);
  }
  const auto found = modules.read();
  REQUIRE(found.size() == 1);
  CHECK(describe(found[0].text) ==
        Strings{"0xffffffffc0000000+0x1000", "0xffffffffc0040000+0x1004"});
  CHECK(describe(found[0].data) == Strings{"0xffffffffc0010000+0x1001", "0xffffffffc0020000+0x1002",
                                           "0xffffffffc0030000+0x1003"});
}

TEST_CASE("modules: ORC and symbols where they have them") {
  Modules modules(Layout::Since64);
  const GuestVirtual module = modules.add("lab");
  const GuestVirtual symbols = modules.guest.allocate(32);
  modules.guest.write(module + arch, 12, 4);
  modules.guest.write(module + arch + 8, 0xffffffffc0500000);
  modules.guest.write(module + arch + 16, 0xffffffffc0600000);
  modules.guest.write(module + kallsyms, symbols);
  modules.guest.write(symbols, 0xffffffffc0700000);
  modules.guest.write(symbols + 8, 7, 4);
  modules.guest.write(symbols + 16, 0xffffffffc0800000);
  modules.add("bare");
  const auto found = modules.read();
  REQUIRE(found.size() == 2);
  REQUIRE(found[0].orc);
  CHECK(found[0].orc->count == 12);
  CHECK(found[0].orc->addresses == GuestVirtual{0xffffffffc0500000});
  CHECK(found[0].orc->entries == GuestVirtual{0xffffffffc0600000});
  CHECK(found[0].symbol_count == 7);
  CHECK(found[0].symbols == GuestVirtual{0xffffffffc0700000});
  CHECK(found[0].strings == GuestVirtual{0xffffffffc0800000});
  CHECK(found[1].name == "bare");
  CHECK_FALSE(found[1].orc);
  CHECK(found[1].symbol_count == 0);
}

TEST_CASE("modules: counts and sizes that no module has are not believed") {
  Modules modules(Layout::Since64);
  const GuestVirtual module = modules.add("lab");
  const GuestVirtual symbols = modules.guest.allocate(32);
  modules.guest.write(module + code, 0xffffffffc0000000);
  modules.guest.write(module + code + 16, 0xffffffff, 4);
  modules.guest.write(module + arch, 0xffffffff, 4);
  modules.guest.write(module + arch + 8, 0xffffffffc0500000);
  modules.guest.write(module + arch + 16, 0xffffffffc0600000);
  modules.guest.write(module + kallsyms, symbols);
  modules.guest.write(symbols, 0xffffffffc0700000);
  modules.guest.write(symbols + 8, 0xffffffff, 4);
  modules.guest.write(symbols + 16, 0xffffffffc0800000);
  const auto found = modules.read();
  REQUIRE(found.size() == 1);
  CHECK(found[0].text.empty());
  CHECK_FALSE(found[0].orc);
  CHECK(found[0].symbol_count == 0);
}

TEST_CASE("modules: more symbols than those of all modules can be are left out, and that is said") {
  Modules modules(Layout::Since64);
  const auto add = [&](const std::string& called, std::uint64_t count) {
    const GuestVirtual symbols = modules.guest.allocate(32);
    modules.guest.write(modules.add(called) + kallsyms, symbols);
    modules.guest.write(symbols, 0xffffffffc0700000);
    modules.guest.write(symbols + 8, count, 4);
    modules.guest.write(symbols + 16, 0xffffffffc0800000);
  };
  add("large", most_module_symbols - 7);
  add("lab", 7);
  CHECK(modules.read()[1].symbol_count == 7);
  CHECK(modules.guest.diagnostics().warnings().empty());
  add("too_many", 1);
  const auto found = modules.read();
  REQUIRE(found.size() == 3);
  CHECK(found[0].symbol_count == most_module_symbols - 7);
  CHECK(found[2].symbol_count == 0);
  REQUIRE(modules.guest.diagnostics().warnings().size() == 1);
  CHECK(modules.guest.diagnostics().warnings()[0] ==
        fmt::format("the list of modules: more than {} symbols of modules: the rest is left out",
                    most_module_symbols));
}

TEST_CASE("modules: a list that is damaged is a warning, and what is reached is there") {
  Modules modules(Layout::Since64);
  modules.add("one");
  const GuestVirtual two = modules.add("two");
  modules.add("three");
  modules.guest.write(two + list, TaskGuest::nowhere);
  modules.guest.write(two + list + 8, TaskGuest::nowhere);
  const auto found = modules.read();
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "one");
  CHECK(found[1].name == "three");
  REQUIRE(modules.guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(modules.guest.diagnostics().warnings()[0],
             Catch::Contains("the list of modules is damaged"));
}

TEST_CASE("modules: more than a guest can have end the list") {
  Modules modules(Layout::Since64);
  for (int i = 0; i < 16400; ++i) modules.guest.append(modules.head, modules.guest.allocate(16));
  CHECK(modules.read().size() == 16384);
  CHECK(modules.guest.diagnostics().warnings().size() == 1);
}

TEST_CASE("modules: a name that can't be read is a question mark") {
  Modules modules(Layout::Since64);
  modules.guest.append(modules.head, TaskGuest::module_begin);
  const auto found = modules.read();
  REQUIRE(found.size() == 1);
  CHECK(found[0].text.empty());
}

TEST_CASE("modules: without the symbol or the type there are none, and no warning") {
  TaskGuest guest;
  CHECK(read_modules(guest.kernel(), guest.types(), guest.diagnostics()).empty());
  guest.begin_list(guest.variable("modules"));
  CHECK(read_modules(guest.kernel(), guest.types(), guest.diagnostics()).empty());
  CHECK(guest.diagnostics().warnings().empty());
}

}  // namespace photon_dmesg::test
