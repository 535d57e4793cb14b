#include "kernel/code/module_search.h"

#include <elf.h>

#include <catch2/catch.hpp>

#include "kernel/code/code_map.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// A kernel with two modules in its list, of which nothing but their form tells.
class ModuleGuest : public TaskGuest {
 public:
  ModuleGuest() {
    begin_list(head);
    for (const GuestVirtual at : {newest, oldest}) append(head, at + 8);
    write_text(newest + 24, "photon_lab");
    write_text(oldest + 24, "vmxnet3");
    add_symbols(newest, {{"lab_spin", newest_code + 0x40}, {"lab_write", newest_code + 0x100}});
  }

  void add_symbols(GuestVirtual module,
                   const std::vector<std::pair<std::string, GuestVirtual>>& functions) {
    const GuestVirtual table = module + 0x800;
    const GuestVirtual names = module + 0xa00;
    std::uint64_t name = 1;
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const GuestVirtual symbol = table + (i + 1) * sizeof(Elf64_Sym);
      write(symbol, name, 4);
      write(symbol + 6, 1, 2);  // the section
      write(symbol + 8, functions[i].second);
      write_text(names + name, functions[i].first);
      name += functions[i].first.size() + 1;
    }
    write_words(module + 0x160, {table.value, functions.size() + 1, names.value});
  }

  std::vector<Module> read() { return find_modules_by_form(kernel(), diagnostics()); }

  GuestVirtual head = variable("a_list");
  GuestVirtual newest = module_page(false);
  GuestVirtual oldest = module_page(false);
  GuestVirtual newest_code = module_page(true);
};

}  // namespace

TEST_CASE("module search: modules are known by their form and their list, where no symbol has it") {
  ModuleGuest guest;
  const std::vector<Module> modules = guest.read();
  REQUIRE(modules.size() == 2);
  CHECK(modules[0].name == "photon_lab");
  CHECK(modules[0].address == guest.newest);
  CHECK(modules[1].name == "vmxnet3");
  CHECK(modules[1].text.empty());
  const CodeMap code(guest.kernel(), modules);
  const auto place = code.place(guest.newest_code + 0x48);
  REQUIRE(place);
  CHECK(place->symbol == "lab_spin");
  CHECK(place->offset == 8);
  CHECK(place->size == 0xc0);
  CHECK(place->module == "photon_lab");
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("module search: the newest comes first, wherever the search has begun") {
  ModuleGuest guest;
  const GuestVirtual latest = guest.module_page(false);
  guest.write_text(latest + 24, "latest");
  guest.begin_list(guest.head);
  for (const GuestVirtual at : {latest, guest.newest, guest.oldest})
    guest.append(guest.head, at + 8);
  std::vector<std::string> names;
  for (const Module& module : guest.read()) names.push_back(module.name);
  CHECK(names == std::vector<std::string>{"latest", "photon_lab", "vmxnet3"});
  guest.write(latest, 3);  // being loaded
  CHECK(guest.read().size() == 2);
}

TEST_CASE("module search: the code of one module ends where that of the next begins") {
  ModuleGuest guest;
  guest.add_symbols(guest.oldest, {{"vmxnet3_poll", guest.newest_code + 0x800}});
  const std::vector<Module> modules = guest.read();
  REQUIRE(modules.size() == 2);
  REQUIRE(modules[1].text.size() == 1);
  CHECK(modules[0].text[0].size + modules[1].text[0].size <= 0x1000);
}

TEST_CASE("module search: what is not proved is none") {
  ModuleGuest guest;
  SECTION("neighbours that do not name it") {
    guest.write(guest.newest + 8, guest.oldest + 64);
    guest.write(guest.oldest + 16, guest.newest + 64);
  }
  SECTION("a name that no module has") {
    guest.write_text(guest.newest + 24, "no module!");
  }
  SECTION("a symbol table that begins with a symbol") {
    guest.write(guest.newest + 0x800, 1);
  }
  SECTION("more symbols than there is memory for") {
    guest.write(guest.newest + 0x160 + 8, 1 << 22);
  }
  SECTION("more than any guest has") {
    guest.write(guest.newest + 0x160 + 8, std::uint64_t{1} << 40);
  }
  SECTION("symbols of what a live patch patches") {
    guest.write(guest.newest + 0x800 + 24 + 6, 0xff20, 2);
    guest.write(guest.newest + 0x800 + 48 + 6, 0xff20, 2);
  }
  SECTION("a module that is still being loaded, alone") {
    guest.write(guest.newest, 3);
  }
  SECTION("symbols that are no code") {
    guest.write(guest.newest + 0x800 + 24 + 8, guest.newest);
    guest.write(guest.newest + 0x800 + 48 + 8, guest.newest);
  }
  CHECK(guest.read().empty());
}

}  // namespace photon_dmesg::test
