#include "session/bundled_guests.h"

#include <catch2/catch.hpp>

#include "session/inputs.h"
#include "support/archive_writer.h"
#include "support/checkpoint_builder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

const std::string memory(4 * 1024 * 1024, '\0');
const std::string log_of_guest =
    "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
    "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] Kernel panic\n";
const std::string log_without = "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n";

std::vector<ArchivedFile> vm(const std::string& folder, const std::string& name) {
  return {{folder + '/' + name + ".vmem", memory},
          {folder + '/' + name + ".vmss", checkpoint_file({})},
          {folder + '/' + name + ".nvram", "MRVN...."},
          {folder + "/vmware.log", log_of_guest}};
}

std::vector<ArchivedFile> operator+(std::vector<ArchivedFile> all,
                                    const std::vector<ArchivedFile>& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// A VM with two snapshots, suspended behind them.
std::vector<ArchivedFile> with_snapshots(const std::string& folder) {
  std::vector<ArchivedFile> files;
  for (const char* name : {"vm-Snapshot1", "vm-Snapshot2"}) {
    files.push_back({folder + '/' + name + ".vmsn", checkpoint_file({})});
    files.push_back({folder + '/' + name + ".vmem", memory});
  }
  return vm(folder, "vm-1234") + files;
}

// The form of a bundle, so that each test is of one that comes by once, and of one that does not.
const std::vector<std::pair<std::string, std::string>> forms = {{"tar", "gzip"}, {"zip", ""}};

struct Named {
  TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  fs::path bundle;

  Named(const std::vector<ArchivedFile>& files, const std::pair<std::string, std::string>& form)
      : bundle(folder.write("ticket", write_archive(files, form.first, form.second))) {}

  Inputs sort(const std::string& inside = "", bool strict = false) {
    return sort_inputs({inside.empty() ? bundle : bundle / inside}, strict, diagnostics);
  }
};

}  // namespace

TEST_CASE("sort_inputs: a bundle's only VM is its guest, wherever it lies in it") {
  for (const auto& form : forms) {
    for (const char* folder : {"web01", "esx-host1-2026/vmfs/volumes/ds1/web01"}) {
      Named named(vm(folder, "web01"), form);
      const std::string name = std::string(folder) + "/web01.vmss";
      for (const std::string& inside : {std::string(), std::string(folder), name}) {
        CAPTURE(form.first, folder, inside);
        const Inputs inputs = named.sort(inside);
        REQUIRE(inputs.guest.state.size() == 1);
        CHECK(inputs.guest.state.front()->name() == named.bundle / name);
        CHECK(inputs.guest.kind == GuestFileKind::Checkpoint);
        CHECK(inputs.symbols.empty());
        CHECK(named.diagnostics.warnings().empty());
      }
    }
  }
}

TEST_CASE("sort_inputs: of several VMs in a bundle, the one that a path through it leads to") {
  for (const auto& form : forms) {
    CAPTURE(form.first);
    Named named(vm("vmfs/volumes/ds1/a", "a") + vm("vmfs/volumes/ds2/b", "b"), form);
    check_fails(Failure::Usage, "/ticket/vmfs/volumes/ds1/a/a.vmss (2023-11-14 22:13 UTC), ",
                [&] { (void)named.sort(); });
    check_fails(Failure::Usage, "b.vmss (2023-11-14 22:13 UTC): expected one checkpoint, found 2",
                [&] { (void)named.sort("vmfs"); });
    for (const char* inside : {"vmfs/volumes/ds2", "vmfs/volumes/ds2/b/b.vmss"}) {
      CHECK(named.sort(inside).guest.state.front()->name() ==
            named.bundle / "vmfs/volumes/ds2/b/b.vmss");
    }
  }
}

TEST_CASE("sort_inputs: of a bundled VM's snapshots, its configuration says which is current") {
  const ArchivedFile vmx = {"vm/vm.vmx", "checkpoint.vmState = \"vm-Snapshot2.vmsn\"\n"};
  for (const auto& form : forms) {
    CAPTURE(form.first);
    for (const auto& files :
         {with_snapshots("vm") + std::vector{vmx}, std::vector{vmx} + with_snapshots("vm")}) {
      Named named(files, form);
      for (const char* inside : {"", "vm", "vm/vm.vmx"}) {
        CAPTURE(inside);
        CHECK(named.sort(inside).guest.state.front()->name() ==
              named.bundle / "vm/vm-Snapshot2.vmsn");
      }
      CHECK(named.diagnostics.warnings().empty());
    }
    Named unknown(with_snapshots("vm"), form);
    check_fails(Failure::Usage, "expected one checkpoint, found 3", [&] { (void)unknown.sort(); });
  }
}

TEST_CASE("sort_inputs: memory in a bundle whose checkpoint is lost is the guest") {
  for (const auto& form : forms) {
    Named named({{"vm/vm.vmem", memory}, {"vm/vmware.log", log_of_guest}}, form);
    const Inputs inputs = named.sort();
    CHECK(inputs.guest.state.empty());
    CHECK(inputs.guest.memory->name() == named.bundle / "vm/vm.vmem");
    Named two({{"a/a.vmem", memory}, {"b/b.vmem", memory}}, form);
    check_fails(Failure::Usage, "expected one memory, found 2", [&] { (void)two.sort(); });
  }
}

TEST_CASE("sort_inputs: a bundle without a guest is refused, or of no use beside one") {
  const TemporaryFolder folder;
  const auto checkpoint = folder.write("vm.vmss", checkpoint_file({}));
  for (const auto& form : forms) {
    Named named({{"notes", "nothing"}}, form);
    check_fails(
        Failure::UnusableInput,
        "expected a checkpoint (.vmss or .vmsn) or memory (.vmem) in this bundle, found none",
        [&] { (void)named.sort(); });
    (void)sort_inputs({checkpoint, named.bundle}, false, named.diagnostics);
    REQUIRE(named.diagnostics.warnings().size() == 1);
    CHECK_THAT(named.diagnostics.warnings().front(),
               Catch::Contains("not used: ") && Catch::Contains("expected a System.map"));
  }
  const std::string inner =
      write_archive({{"deep.zip", write_archive({{"a.vmss", "x"}}, "zip")}}, "zip");
  Named deep({{"inner.zip", inner}}, forms.front());
  check_fails(Failure::UnusableInput, "inner.zip/deep.zip), which is not looked into",
              [&] { (void)deep.sort(); });
}

TEST_CASE("sort_inputs: a System.map in a bundle is a source of symbols") {
  const std::vector<ArchivedFile> map = {
      {"boot/System.map-6.1.10", "ffffffff81000000 T _text\nffffffff81000100 T end\n"}};
  const TemporaryFolder folder;
  const auto checkpoint = folder.write("vm.vmss", checkpoint_file({}));
  for (const auto& form : forms) {
    Named named(map + vm("vm", "vm"), form);
    const Inputs inputs = named.sort();
    REQUIRE(inputs.symbols.size() == 1);
    CHECK(inputs.symbols.front().kind == SymbolKind::SystemMap);
    CHECK(inputs.guest.state.size() == 1);
    const Inputs beside = sort_inputs({checkpoint, named.bundle}, true, named.diagnostics);
    CHECK(beside.symbols.size() == 1);
    CHECK(beside.guest.state.front()->name() == checkpoint);
    CHECK(named.diagnostics.warnings().empty());
  }
}

TEST_CASE("sort_inputs: symbols that are read by their path are none in a bundle") {
  Named named({{"photon.iso", std::string(0x8001, '\0') + "CD001" + memory}}, forms.front());
  check_fails(Failure::UnusableInput, "photon.iso: this is ISO image in a bundle: unpack it first",
              [&] { (void)named.sort("photon.iso", true); });
}

TEST_CASE("find_host_log: a vmware.log with something of the guest, where no memory is") {
  CollectedDiagnostics diagnostics;
  const auto find = [&](const fs::path& path) {
    BundleTree tree;
    const auto file = find_host_log(path, tree, diagnostics);
    return file ? file->name() : "";
  };
  const TemporaryFolder folder;
  CHECK(find(folder.write("vmware.log", log_without)) == folder.path() / "vmware.log");
  CHECK(find(folder.write("text", "Dear support")).empty());
  CHECK(find(folder.path()).empty());
  CHECK(find(folder.path() / "absent").empty());
  for (const auto& form : forms) {
    Named named({{"a/vmware.log", log_without}, {"b/vmware.log", log_of_guest}}, form);
    CHECK(find(named.bundle) == named.bundle / "b/vmware.log");
    CHECK(find(named.bundle / "b/vmware.log") == named.bundle / "b/vmware.log");
    CHECK(find(named.bundle / "a").empty());
    Named two({{"a/vmware.log", log_of_guest}, {"b/vmware.log", log_of_guest}}, form);
    check_fails(Failure::Usage, "expected one vmware.log, found 2", [&] { find(two.bundle); });
    CHECK(find(Named(vm("vm", "vm"), form).bundle).empty());
  }
}

}  // namespace photon_dmesg::test
