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
  SECTION("symbols that are no code") {
    guest.write(guest.newest + 0x800 + 24 + 8, guest.newest);
    guest.write(guest.newest + 0x800 + 48 + 8, guest.newest);
  }
  CHECK(guest.read().empty());
}

}  // namespace photon_dmesg::test
