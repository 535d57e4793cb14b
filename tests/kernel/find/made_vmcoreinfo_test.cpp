#include "kernel/find/made_vmcoreinfo.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// "SYMBOL(swapper_pg_dir)=ffff..." of a variable.
std::string line(const char* name, GuestVirtual address) {
  return fmt::format("SYMBOL({})={:x}\n", name, address.value);
}

}  // namespace

TEST_CASE("made VMCOREINFO: what is proved of the guest, at run-time addresses") {
  TaskGuest guest("4.19.325-1.ph3-esx");
  const GuestVirtual names = guest.variable("init_uts_ns");
  const GuestVirtual tables = guest.variable("swapper_pg_dir");
  const auto text = make_vmcoreinfo(guest.kernel());
  REQUIRE(text);
  CHECK(*text == "OSRELEASE=4.19.325-1.ph3-esx\nPAGESIZE=4096\n" + line("init_uts_ns", names) +
                     line("swapper_pg_dir", tables) +
                     line("_stext", TaskGuest::linked_text + TaskGuest::kaslr_offset) +
                     fmt::format("NUMBER(pgtable_l5_enabled)=0\nNUMBER(phys_base)={}\n"
                                 "KERNELOFFSET={:x}\n",
                                 static_cast<std::int64_t>(guest.kernel().image_place()),
                                 TaskGuest::kaslr_offset));
}

TEST_CASE("made VMCOREINFO: the kernel's page tables under each name that they have had") {
  for (const char* name : {"init_top_pgt", "init_level4_pgt"}) {
    INFO(name);
    TaskGuest guest("4.9.0");
    guest.variable("init_uts_ns");
    const GuestVirtual tables = guest.variable(name);
    const auto text = make_vmcoreinfo(guest.kernel());
    REQUIRE(text);
    CHECK_THAT(*text, Catch::Contains(line("swapper_pg_dir", tables)));
  }
}

TEST_CASE("made VMCOREINFO: there is none without the symbols that readers need") {
  TaskGuest without_tables;
  without_tables.variable("init_uts_ns");
  CHECK_FALSE(make_vmcoreinfo(without_tables.kernel()));
  TaskGuest without_names;
  without_names.variable("swapper_pg_dir");
  CHECK_FALSE(make_vmcoreinfo(without_names.kernel()));
}

}  // namespace photon_dmesg::test
