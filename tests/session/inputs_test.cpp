#include "session/inputs.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
#include "support/checkpoint_builder.h"
#include "support/errors.h"
#include "support/iso_builder.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

// One file of each kind, with names that say nothing.
struct Files {
  TemporaryFolder folder;
  std::filesystem::path checkpoint = folder.write("1", checkpoint_file({}));
  std::filesystem::path memory = folder.write("2", std::string(4 * 1024 * 1024, '\0'));
  std::filesystem::path iso = folder.path() / "3";
  std::filesystem::path package = PACKAGE_FOLDER "/w6.gzdio.rpm";
  std::filesystem::path vmlinux = PRINTK_RINGBUFFER_KERNEL;

  Files() { write_iso(iso, {{"file", "content"}}); }
};

Inputs sort(const std::vector<std::filesystem::path>& files, bool strict = false) {
  CollectedDiagnostics diagnostics;
  return sort_inputs(files, strict, diagnostics);
}

// What is said of `odd` where a guest is left without it.
std::string warning_of(const Files& files, const std::filesystem::path& odd) {
  CollectedDiagnostics diagnostics;
  const Inputs inputs = sort_inputs({odd, files.checkpoint}, false, diagnostics);
  CHECK(inputs.guest.state.size() == 1);
  return diagnostics.warnings().empty() ? "" : diagnostics.warnings().front();
}

}  // namespace

TEST_CASE("sort_inputs: each file finds its role by content, in any order") {
  const Files files;
  using Kind = SymbolKind;
  for (const auto& [symbols, kind] : {std::pair{files.iso, Kind::Iso},
                                      {files.package, Kind::Package},
                                      {files.vmlinux, Kind::Vmlinux}}) {
    for (const auto& order : {std::vector{symbols, files.checkpoint, files.memory},
                              {files.memory, files.checkpoint, symbols},
                              {files.checkpoint, files.memory, symbols}}) {
      const Inputs inputs = sort(order);
      CHECK(inputs.symbols.front().kind == kind);
      CHECK(inputs.symbols.front().path == symbols);
      CHECK(inputs.guest.state.front()->name() == files.checkpoint);
      CHECK(inputs.guest.memory->name() == files.memory);
    }
  }
}

TEST_CASE("sort_inputs: any role may be left open, and who needs it says so") {
  const Files files;
  CHECK(sort({files.checkpoint, files.memory}).symbols.empty());
  CHECK(sort({files.iso}).guest.empty());
  CHECK_FALSE(sort({files.iso, files.checkpoint}).guest.memory);
}

TEST_CASE("sort_inputs: symbols may come from anywhere, and memory may be one of several") {
  const Files files;
  CHECK(sort({files.iso, files.vmlinux, files.package, files.checkpoint}).symbols.size() == 3);
  const auto memory = files.folder.write("1.vmem", std::string(8 * 1024 * 1024, '\0'));
  const Inputs inputs = sort({files.checkpoint, files.memory, memory});
  CHECK(inputs.guest.memory->name() == memory);  // it has the checkpoint's name
  REQUIRE(inputs.other_memories.size() == 1);
  CHECK(inputs.other_memories.front()->name() == files.memory);
}

TEST_CASE("sort_inputs: of several checkpoints, only the user can tell which is meant") {
  const Files files;
  const auto second = files.folder.write("second", checkpoint_file({}));
  check_fails(Failure::Usage, "expected one checkpoint, found 2: name the one to read", [&] {
    (void)sort({files.iso, files.checkpoint, second});
  });
}

TEST_CASE("sort_inputs: of a VM's files, its configuration says which checkpoint is current") {
  const TemporaryFolder vm;
  const std::string memory(4 * 1024 * 1024, '\0');
  (void)vm.write("vm-Snapshot1.vmsn", checkpoint_file({}));
  (void)vm.write("vm-Snapshot1.vmem", memory);
  const auto current = vm.write("vm-1234.vmss", checkpoint_file({}));
  (void)vm.write("vm-1234.vmem", memory);
  (void)vm.write("vm.nvram", "MRVN....");
  (void)vm.write("vm.vmsd", "snapshot.lastUID = \"1\"");
  (void)vm.write("vmware.log", "2026-11-25T02:10:01Z In(05) vmx");
  const auto named = [&] {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(vm.path())) {
      files.push_back(entry.path());
    }
    return files;
  };
  check_fails(Failure::Usage, "vm-Snapshot1.vmsn (", [&] { (void)sort(named()); });
  check_fails(Failure::Usage, "vm-1234.vmss (", [&] { (void)sort({vm.path()}); });
  for (const char* key : {"checkpoint.vmState", "checkpoint.vmstate"}) {
    const auto vmx = vm.write(
        "vm.vmx",
        fmt::format("guestOS = \"other\"\n{0}.readOnly = \"x\"\n{0} = \"vm-1234.vmss\"\n", key));
    for (const auto& files : {named(), {vm.path()}, {vmx}}) {
      CollectedDiagnostics diagnostics;
      const Inputs inputs = sort_inputs(files, false, diagnostics);
      CHECK(inputs.guest.state.front()->name() == current);
      CHECK(inputs.symbols.empty());
      CHECK(inputs.other_memories.empty());
      CHECK(diagnostics.warnings().empty());
    }
  }
}

TEST_CASE(
    "sort_inputs: a folder that is named beside a guest says nothing of which guest is meant") {
  const Files files;
  const TemporaryFolder other;
  (void)other.write("other.vmss", checkpoint_file({}));
  (void)other.write("another.vmss", checkpoint_file({}));
  (void)other.write("linux-6.1.10-1.ph5.x86_64.rpm", "a package");
  for (const auto& guest : {files.checkpoint, files.memory}) {
    const Inputs inputs = sort({other.path(), guest});
    CHECK(inputs.symbols.front().kind == SymbolKind::Folder);
    CHECK((inputs.guest.state.empty() ? inputs.guest.memory : inputs.guest.state.front())->name() ==
          guest);
  }
}

TEST_CASE("sort_inputs: a configuration says nothing of another VM's checkpoints") {
  const TemporaryFolder a;
  const TemporaryFolder b;
  const auto vmx = a.write("vm.vmx", "checkpoint.vmState = \"vm.vmss\"\n");
  const auto mine = a.write("vm.vmss", checkpoint_file({}));
  const auto others = b.write("vm.vmss", checkpoint_file({}));
  check_fails(Failure::Usage, "expected one checkpoint, found 2", [&] {
    (void)sort({others, mine, vmx});
  });
}

TEST_CASE("sort_inputs: memory finds its checkpoint by name, packed or not") {
  const TemporaryFolder vm;
  const auto checkpoint = vm.write("vm-Snapshot2.vmsn", checkpoint_file({}));
  const auto packed = [&](const std::string& name) {
    const auto path = vm.write(name, std::string(4 * 1024 * 1024, '\0'));
    REQUIRE(std::system(("gzip -f " + path.string()).c_str()) == 0);
    return std::filesystem::path(path.string() + ".gz");
  };
  const auto first = packed("vm-Snapshot1.vmem");
  const auto second = packed("vm-Snapshot2.VMEM");
  CHECK(sort({checkpoint, first, second}).guest.memory->name() == second);
}

TEST_CASE("sort_inputs: a configuration that says otherwise than what is there is a warning") {
  const TemporaryFolder vm;
  const auto vmss = vm.write("vm-1.vmss", checkpoint_file({}));
  const auto warned = [&](const std::string& state) {
    const auto vmx = vm.write("vm.vmx", state);
    std::vector<std::string> warnings;
    for (const auto& named : {vmx, vm.path()}) {
      CollectedDiagnostics diagnostics;
      CHECK(sort_inputs({named}, false, diagnostics).guest.state.front()->name() == vmss);
      warnings = diagnostics.warnings();
    }
    return warnings;
  };
  CHECK(warned("displayName = \"vm\"\n").empty());
  CHECK(warned("checkpoint.vmState = \"vm-1.vmss\"\n").empty());
  REQUIRE(warned("checkpoint.vmState = \"vm-2.vmss\"\n").size() == 1);
  CHECK_THAT(warned("checkpoint.vmState = \"vm-2.vmss\"\n")[0],
             Catch::Contains("says that vm-2.vmss is the current checkpoint, which is not there"));
  REQUIRE(warned("checkpoint.vmState = \"\"\n").size() == 1);
  CHECK_THAT(warned("checkpoint.vmState = \"\"\n")[0],
             Catch::Contains("says that the VM is not suspended"));
}

TEST_CASE("sort_inputs: a configuration without a checkpoint says what to do") {
  const TemporaryFolder vm;
  const auto vmx = vm.write("vm.vmx", "checkpoint.vmState = \"\"\n");
  check_fails(Failure::UnusableInput, "vm.vmx: there is no checkpoint (.vmss or .vmsn) beside it",
              [&] { (void)sort({vmx}); });
}

TEST_CASE("sort_inputs: what is neither a guest's nor symbols is named, and the rest is used") {
  const Files files;
  const auto named = [&](const std::string& content, const std::string& name = "odd") {
    return warning_of(files, files.folder.write(name, content));
  };
  const auto at = [](std::size_t offset, const std::string& magic) {
    return std::string(offset, '\0') + magic + std::string(64, '\0');
  };
  CHECK_THAT(named(at(0x38, "ARMd")), Catch::Contains("odd: this is a boot image of an arm64"));
  CHECK_THAT(named(std::string("MZ\0\0zimg", 8)),
             Catch::Contains("a packed boot image (EFI zboot)"));
  CHECK_THAT(named(at(0x8001, "BEA01")), Catch::Contains("an image with UDF only"));
  CHECK_THAT(named(at(0x101, "ustar")), Catch::Contains("odd: damaged archive"));
  CHECK_THAT(named(at(0, "PK\x03\x04")), Catch::Contains("odd: damaged archive"));
  CHECK_THAT(named(at(0, "\x28\xb5\x2f\xfd")), Catch::Contains("odd: damaged"));
  CHECK_THAT(named("QEVM...."), Catch::Contains("a QEMU snapshot"));
  CHECK_THAT(named("LibvirtQemudSave"), Catch::Contains("use virsh dump --memory-only"));
  CHECK_THAT(named("PAGEDU64"), Catch::Contains("a Windows crash dump"));
  CHECK_THAT(named("QFI\xfb"), Catch::Contains("a virtual disk (qcow2)"));
  CHECK_THAT(named("Dear support,\n"), Catch::Contains("this is a text"));
  CHECK_THAT(named("\x34\x12 is nothing known"),
             Catch::Contains("odd (begins with 0x69201234): expected a checkpoint"));
  CHECK_THAT(named("ab\x01"), Catch::Contains("odd (begins with 3 bytes)"));
  CHECK_THAT(named(""), Catch::Contains("odd: the file is empty"));
  CHECK_THAT(named("\x9e\xdd\x43\x89"), Catch::Contains("of an encrypted virtual machine"));
  // No mistake beside a checkpoint.
  CHECK(named("MRVN....", "vm.nvram").empty());
  CHECK(named("# Disk DescriptorFile\n", "vm.vmdk").empty());
  CHECK_THAT(warning_of(files, files.folder.path() / "absent"), Catch::Contains("can't be opened"));
}

TEST_CASE("sort_inputs: a checkpoint that is of no use tells which memory is meant") {
  for (const std::string& content : {std::string(), std::string(4 * 1024 * 1024, '\0')}) {
    const TemporaryFolder vm;
    const auto checkpoint = vm.write("vm.vmss", content);
    check_fails(Failure::UnusableInput, "vm.vmss", [&] { (void)sort({checkpoint}); });
    const auto memory = vm.write("vm.vmem", std::string(4 * 1024 * 1024, '\0'));
    CollectedDiagnostics diagnostics;
    const Inputs inputs = sort_inputs({checkpoint}, false, diagnostics);
    CHECK(inputs.guest.state.empty());
    CHECK(inputs.guest.memory->name() == memory);
    CHECK(inputs.guest.is_alone);
    REQUIRE(diagnostics.warnings().size() == 1);
    CHECK_THAT(diagnostics.warnings().front(), Catch::Contains("not used: " + checkpoint.string()));
    check_fails(Failure::UnusableInput, "vm.vmss", [&] { (void)sort({checkpoint}, true); });
  }
}

TEST_CASE("sort_inputs: strictly, or without a guest, it is refused") {
  const Files files;
  const auto odd = files.folder.write("odd", "Dear support,\n");
  check_fails(Failure::UnusableInput, "odd: this is a text", [&] {
    (void)sort({odd, files.checkpoint}, true);
  });
  check_fails(Failure::UnusableInput, "odd: this is a text", [&] { (void)sort({files.iso, odd}); });
  check_fails(Failure::UnusableInput, "this is a virtual disk", [&] {
    (void)sort({files.iso, files.folder.write("vm.vmdk", "KDMV")});
  });
}

TEST_CASE("sort_inputs: of what is packed, guests and a System.map are read, the rest is named") {
  const Files files;
  for (const std::string packing : {"gzip", "zstd", "xz", "bzip2"}) {
    CAPTURE(packing);
    const auto packed = [&](const std::string& content, const std::string& name) {
      return files.folder.write(name + '.' + packing, pack(content, packing));
    };
    const auto map = packed("ffffffff81000000 T _text\nffffffff81000100 T end\n", "System.map");
    CHECK(sort({map, files.checkpoint}).symbols.front().kind == SymbolKind::SystemMap);
    const auto checkpoint = packed(checkpoint_file({}), "vm.vmss");
    const auto memory = packed(std::string(4 * 1024 * 1024, '\0'), "vm.vmem");
    const Inputs inputs = sort({checkpoint, memory});
    CHECK(inputs.guest.state.front()->name() == checkpoint);
    CHECK(inputs.guest.memory->name() == memory);
    CHECK_THAT(warning_of(files, packed(std::string(0x8001, '\0') + "CD001" + std::string(64, '\0'),
                                        "photon.iso")),
               Catch::Contains("this is ISO image packed with " + packing + ": unpack it first (" +
                               packing + " -d)"));
    CHECK_THAT(warning_of(files, packed("QFI\xfb", "disk")),
               Catch::Contains("this is a virtual disk (qcow2), packed with " + packing));
    CHECK_THAT(warning_of(files, packed(std::string(0x101, '\0') + "ustar" + std::string(64, '\0'),
                                        "bundle.tar")),
               Catch::Contains(": damaged archive"));
  }
}

}  // namespace photon_dmesg::test
