#include "cli/core_folder.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "report/core/gdb_files.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/open_vmlinux.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

Options options_for(const std::filesystem::path& folder) {
  Options options;
  options.command = Command::Core;
  options.output = folder;
  return options;
}

SymbolSource symbols_of(const std::filesystem::path& vmlinux) {
  SymbolSource source;
  source.symbols = open_vmlinux(vmlinux);
  source.provenance.vmlinux = vmlinux.string();
  return source;
}

}  // namespace

TEST_CASE("core folder: one that is absent, empty or full of other files will do") {
  const TemporaryFolder folder;
  CHECK_NOTHROW(check_core_folder(options_for(folder.path() / "absent")));
  CHECK_NOTHROW(check_core_folder(options_for(folder.path())));
  folder.write("notes.txt", "text");
  CHECK_NOTHROW(check_core_folder(options_for(folder.path())));
}

TEST_CASE("core folder: none of its files is replaced that the program has not written") {
  for (const char* name : {"vmss.core", "vmlinux", "photon.gdb", ".gdbinit"}) {
    const TemporaryFolder folder;
    folder.write(name, "set print pretty on\n");
    check_fails(Failure::Usage,
                std::string(name) +
                    ": the file that is there is not overwritten: photon-dmesg core has "
                    "not written it",
                [&] { check_core_folder(options_for(folder.path())); });
  }
  const TemporaryFolder folder;
  std::filesystem::create_symlink("/absent", folder.path() / ".gdbinit");
  check_fails(Failure::Usage, "not overwritten",
              [&] { check_core_folder(options_for(folder.path())); });
}

TEST_CASE("core folder: another program's core is not replaced") {
  const TemporaryFolder folder;
  std::filesystem::copy(PRINTK_RINGBUFFER_KERNEL, folder.path() / "vmss.core");
  check_fails(Failure::Usage, "vmss.core: the file that is there is not overwritten",
              [&] { check_core_folder(options_for(folder.path())); });
}

TEST_CASE("core folder: what the program has written is replaced") {
  const TemporaryFolder folder;
  folder.write(".gdbinit", make_gdbinit({"6.1.10", 0, "vmss.core", std::nullopt}));
  folder.write("photon.gdb", gdb_macros());
  CHECK_NOTHROW(check_core_folder(options_for(folder.path())));
}

TEST_CASE("core folder: an input there is not replaced, but a vmlinux may stay") {
  const TemporaryFolder folder;
  Options options = options_for(folder.path());
  std::filesystem::copy(PRINTK_RINGBUFFER_KERNEL, folder.path() / "vmlinux");
  options.files = {folder.path() / "vmlinux"};
  CHECK_NOTHROW(check_core_folder(options));
  options.files = {
      folder.write(".gdbinit", make_gdbinit({"6.1.10", 0, "vmss.core", std::nullopt}))};
  check_fails(Failure::Usage, ".gdbinit: this is one of the inputs",
              [&] { check_core_folder(options); });
}

TEST_CASE("core folder: a name that files of virtual machines have is none for it") {
  check_fails(Failure::Usage, "expected a name that no file of a virtual machine has",
              [] { check_core_folder(options_for("/absent/vm.vmss")); });
}

TEST_CASE("core folder: a vmlinux there is kept if it is the guest's, or else refused") {
  const TemporaryFolder folder;
  const SymbolSource guest = symbols_of(PRINTK_RINGBUFFER_KERNEL);
  CHECK_FALSE(has_vmlinux(folder.path(), guest));
  std::filesystem::copy(PRINTK_RINGBUFFER_KERNEL, folder.path() / "vmlinux");
  CHECK(has_vmlinux(folder.path(), guest));
  check_fails(Failure::Usage,
              "vmlinux: the file that is there is not overwritten: it is not the vmlinux of the "
              "guest's kernel",
              [&] { (void)has_vmlinux(folder.path(), symbols_of(PRINTK_LOG_KERNEL)); });
  folder.write("vmlinux", "damaged");
  check_fails(Failure::Usage, "not overwritten", [&] { (void)has_vmlinux(folder.path(), guest); });
}

}  // namespace photon_dmesg::test
