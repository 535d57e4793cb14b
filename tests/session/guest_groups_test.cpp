#include "session/guest_groups.h"

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
#include "support/checkpoint_builder.h"
#include "support/iso_builder.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

using Paths = std::vector<std::filesystem::path>;

// Two VMs that are called the same, in folders of their own, and where their kernel is.
struct Machines {
  TemporaryFolder folder;
  std::filesystem::path iso = folder.path() / "photon.iso";

  Machines() {
    write_iso(iso, {{"file", "content"}});
    for (const char* name : {"a", "b"}) {
      std::filesystem::create_directory(folder.path() / name);
      (void)write(name, "vm.vmss", checkpoint_file({}));
      (void)write(name, "vm.vmem", memory());
    }
  }

  [[nodiscard]] static std::string memory() { return std::string(4 * 1024 * 1024, '\0'); }
  [[nodiscard]] std::filesystem::path write(const std::string& machine, const std::string& name,
                                            const std::string& content) const {
    return folder.write(machine + "/" + name, content);
  }
  [[nodiscard]] std::filesystem::path of(const char* machine, const char* name) const {
    return folder.path() / machine / name;
  }
};

GuestGroups groups_of(const Paths& files) {
  BundleTree tree;
  CollectedDiagnostics diagnostics;
  return group_by_guest(files, tree, diagnostics);
}

std::vector<Paths> guests_of(const Paths& files) {
  std::vector<Paths> guests;
  for (const GuestGroups::Group& group : groups_of(files).guests) {
    CHECK(group.name == group.files.front());
    guests.push_back(group.files);
  }
  return guests;
}

TEST_CASE("Guests' files: each checkpoint has the memory beside it, all share the symbols") {
  const Machines machines;
  const auto a = machines.of("a", "vm.vmss");
  const auto b = machines.of("b", "vm.vmss");
  const auto a_memory = machines.of("a", "vm.vmem");
  const auto b_memory = machines.of("b", "vm.vmem");
  const GuestGroups groups =
      groups_of({b_memory, a_memory, machines.iso, b, a, PRINTK_RINGBUFFER_KERNEL});
  REQUIRE(groups.guests.size() == 2);
  CHECK(groups.guests[0].files == Paths{b, b_memory});
  CHECK(groups.guests[1].files == Paths{a, a_memory});
  CHECK(groups.guests[0].name == b);
  CHECK(groups.shared == Paths{machines.iso, PRINTK_RINGBUFFER_KERNEL});
}

TEST_CASE("Guests' files: one guest has whatever memory is named") {
  const Machines machines;
  const auto checkpoint = machines.of("a", "vm.vmss");
  const auto odd = machines.write("b", "copy", Machines::memory());
  CHECK(guests_of({odd, checkpoint}) == std::vector<Paths>{{checkpoint, odd}});
  CHECK(guests_of({checkpoint, checkpoint}) == std::vector<Paths>{{checkpoint}});
}

TEST_CASE("Guests' files: memory of nobody is a guest, and so is each of several") {
  const Machines machines;
  const auto odd = machines.write("b", "other.vmem", Machines::memory());
  CHECK(guests_of({machines.of("a", "vm.vmss"), odd, machines.of("b", "vm.vmss")}) ==
        std::vector<Paths>{{machines.of("a", "vm.vmss")}, {odd}, {machines.of("b", "vm.vmss")}});
  CHECK(guests_of({odd, machines.of("a", "vm.vmem")}).size() == 2);
}

TEST_CASE("Guests' files: a VM's folder is a guest, or goes to what was named of it") {
  const Machines machines;
  const auto a = machines.folder.path() / "a";
  const auto b = machines.folder.path() / "b";
  CHECK(guests_of({a, b}) == std::vector<Paths>{{a}, {b}});
  CHECK(guests_of({a, machines.of("a", "vm.vmss"), b}) ==
        std::vector<Paths>{{machines.of("a", "vm.vmss"), a}, {b}});
  CHECK(groups_of({machines.folder.path()}).shared == Paths{machines.folder.path()});
}

TEST_CASE("Guests' files: checkpoints beside a configuration are of one guest") {
  const Machines machines;
  const auto configuration = machines.write("a", "vm.vmx", "displayName = \"vm\"\n");
  const auto second = machines.write("a", "vm-1.vmsn", checkpoint_file({}));
  const auto first = machines.of("a", "vm.vmss");
  CHECK(guests_of({first, second, configuration}) ==
        std::vector<Paths>{{configuration, first, second}});
  CHECK(guests_of({first, second}).size() == 2);
  CHECK(guests_of({configuration, machines.of("b", "vm.vmss")}).size() == 2);
}

TEST_CASE("Guests' files: a host's log goes to the guest beside it, a damaged checkpoint is one") {
  const Machines machines;
  const auto log = machines.write("b", "vmware.log", "2026-11-25T02:10:01Z In(05) vmx - Log\n");
  const auto a = machines.of("a", "vm.vmss");
  const auto b = machines.of("b", "vm.vmss");
  CHECK(guests_of({log, a, b}) == std::vector<Paths>{{a}, {b, log}});
  const auto missing = machines.of("c", "vm.vmss");
  CHECK(guests_of({missing, a}) == std::vector<Paths>{{missing}, {a}});
  CHECK(groups_of({machines.of("c", "none")}).shared == Paths{machines.of("c", "none")});
  CHECK(groups_of({}).guests.empty());
}

TEST_CASE("Guests' files: a host's log that lies beside none of several guests is nobody's") {
  const Machines machines;
  const auto log = machines.folder.write("vmware.log", "2026-11-25T02:10:01Z In(05) vmx - Log\n");
  const auto a = machines.of("a", "vm.vmss");
  const auto b = machines.of("b", "vm.vmss");
  const GuestGroups groups = groups_of({a, log, b});
  CHECK(groups.strange_logs == Paths{log});
  CHECK(guests_of({a, log, b}) == std::vector<Paths>{{a}, {b}});
  CHECK(guests_of({a, log}) == std::vector<Paths>{{a, log}});
  CHECK(groups_of({a, log}).strange_logs.empty());
}

TEST_CASE("Guests' files: a bundle that holds a guest is one, and so is each folder in one") {
  const Machines machines;
  const auto a = machines.of("a", "vm.vmss");
  std::vector<ArchivedFile> files;
  for (const char* vm : {"x", "y"}) {
    files.push_back({std::string(vm) + "/vm.vmss", checkpoint_file({})});
    files.push_back({std::string(vm) + "/vm.vmem", Machines::memory()});
  }
  const auto bundle = machines.folder.write("ticket.tgz", write_archive(files, "tar", "gzip"));
  const auto other = machines.folder.write(
      "other.tgz", write_archive({{"System.map", "0 T _text"}}, "tar", "gzip"));
  CHECK(guests_of({bundle, a}) == std::vector<Paths>{{bundle}, {a}});
  CHECK(guests_of({bundle / "y", a, bundle / "x"}) ==
        std::vector<Paths>{{bundle / "y"}, {a}, {bundle / "x"}});
  CHECK(guests_of({bundle, bundle / "x/vm.vmss"}) ==
        std::vector<Paths>{{bundle / "x/vm.vmss", bundle}});
  CHECK(groups_of({other, a}).shared == Paths{other});
}

}  // namespace
}  // namespace photon_dmesg::test
