#include "cli/output_guard.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

using namespace std::string_literals;

void check(const std::filesystem::path& path, Exceptions exceptions = {}) {
  check_target({}, find_output_target(path), exceptions);
}

void check_kept(const std::filesystem::path& path, const std::string& what,
                Exceptions exceptions = {}) {
  check_fails(Failure::Usage,
              path.string() + ": the file that is there is not overwritten: " + what,
              [&] { check(path, exceptions); });
}

}  // namespace

TEST_CASE("output guard: names of a virtual machine's files are for these, new ones too") {
  const TemporaryFolder folder;
  for (const char* name :
       {"vm.vmss", "vm.vmsn", "vm.vmem", "VM.VMEM", "vm.vmem.gz", "debug.guest", "vm.vmx",
        "vm.vmxf", "vm.vmsd", "vm.vmdk", "vm-flat.vmdk", "vm.nvram", "vm.vswp", "vm.vmx.lck",
        "vm.vmx~", "vm.scoreboard", "vmware.log", "vmware-2.log"}) {
    for (const bool exists : {false, true}) {
      if (exists) folder.write(name, "text");
      check_fails(Failure::Usage, "expected a name that no file of a virtual machine has, found ",
                  [&] { check(folder.path() / name); });
    }
  }
  for (const char* name : {"vm.log", "vm.txt", "vmem", "vmware-dmesg.log", "vm.json.gz"}) {
    CHECK_NOTHROW(check(folder.path() / name));
  }
}

TEST_CASE("output guard: each name of a chain of links counts") {
  const TemporaryFolder folder;
  folder.write("store", "memory has no mark");
  std::filesystem::create_symlink("store", folder.path() / "vm.vmem");
  std::filesystem::create_symlink("vm.vmem", folder.path() / "log.txt");
  check_fails(Failure::Usage,
              "log.txt: expected a name that no file of a virtual machine has, found vm.vmem",
              [&] { check(folder.path() / "log.txt"); });
}

TEST_CASE("output guard: a configuration may be written where there is none") {
  const TemporaryFolder folder;
  CHECK_NOTHROW(check(folder.path() / "vm.vmx", {.new_configuration = true}));
  for (const char* name : {"vm.vmem", "vm.vmdk"}) {
    check_fails(Failure::Usage, "expected a name",
                [&] { check(folder.path() / name, {.new_configuration = true}); });
  }
  folder.write("vm.vmx", "displayName = \"customer\"");
  check_fails(Failure::Usage, "expected a name",
              [&] { check(folder.path() / "vm.vmx", {.new_configuration = true}); });
}

TEST_CASE("output guard: a file that holds an input, a disk or an archive is kept") {
  const TemporaryFolder folder;
  const std::string iso = std::string(0x8001, '\0') + "CD001";
  const std::vector<std::pair<std::string, std::string>> kept = {
      {"\xd2\xbe\xd2\xbe", "VMware checkpoint"},
      {"2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX", "the host's log of a VM"},
      {"\xd0\xbe\xd0\xbe", "VMware checkpoint"},
      {"\x9e\xdd\x43\x89\1\0\0\0"s, "a virtual machine's"},
      {"\x7f"
       "ELF",
       "vmlinux"},
      {"\xed\xab\xee\xdb", "package"},
      {iso, "ISO image"},
      {"KDUMP   ", "kdump file"},
      {"EMiL", "LiME image"},
      {"ffffffff81000000 T _text\n", "System.map"},
      {"PHDMSYMS", "profile"},
      {"QFI\xfb", "a virtual disk (qcow2)"},
      {"KDMV", "a virtual disk (.vmdk)"},
      {"\x1f\x8b\x08", "packed with gzip"},
      {"\x28\xb5\x2f\xfd", "packed with zstd"},
      {"\xfd\x37zXZ\0"s, "packed with xz"},
      {"PK\x03\x04", "a zip archive"},
      {"# Disk DescriptorFile\n", "a virtual disk (.vmdk)"},
  };
  for (const auto& [begin, what] : kept) {
    check_kept(folder.write("file", begin + std::string(200, ' ')), what);
    CHECK(file_content(folder.path() / "file").starts_with(begin));
  }
}

TEST_CASE("output guard: what the program has printed before is replaced") {
  const TemporaryFolder folder;
  for (const char* begin : {"", "[    0.000000] Linux version", "{\n  \"dmesg\": [",
                            "6,0,0,-;Linux", "\x89PNG\r\n", ".encoding = \"UTF-8\"\n"}) {
    CHECK_NOTHROW(check(folder.write("file", begin)));
  }
}

TEST_CASE("output guard: a profile is replaced by a profile only") {
  const TemporaryFolder folder;
  const auto path = folder.write("kernel.symbols", "PHDMSYMS");
  CHECK_NOTHROW(check(path, {.profile = true}));
  check_kept(path, "profile");
  check_kept(folder.write("photon.rpm", "\xed\xab\xee\xdb"), "package", {.profile = true});
}

TEST_CASE("output guard: looking at a file makes it no input") {
  const TemporaryFolder folder;
  const auto path = folder.write("log.txt", "[    0.000000] older");
  CHECK_NOTHROW(check(path));
  CHECK_NOTHROW(check(path));
}

TEST_CASE("output guard: a folder is no file") {
  const TemporaryFolder folder;
  check_fails(Failure::Usage, "expected a file, found a folder", [&] { check(folder.path()); });
}

TEST_CASE("output guard: devices are no files") {
  CHECK_NOTHROW(check("/dev/null"));
  CHECK_NOTHROW(check("/dev/full"));
}

}  // namespace photon_dmesg::test
