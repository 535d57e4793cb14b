#include "kernel/self/module_btf.h"

#include <catch2/catch.hpp>

#include "support/btf_writer.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

// A kernel's types and those of its modules, which go on from them.
struct Modules {
  TaskGuest guest;
  GuestVirtual head = guest.variable("btf_modules", 16);
  BtfWriter of_kernel;
  std::uint32_t integer = of_kernel.integer("int", 4);
  std::shared_ptr<const Btf> kernel_btf;
  CollectedDiagnostics diagnostics;

  Modules() {
    guest.type("btf_module", 32, {{"list", 0, 16}, {"btf", 16}});
    guest.type("btf", 16, {{"data", 0}, {"data_size", 8, 4}});
    guest.begin_list(head);
    of_kernel.structure("of_kernel", 8, {{"first", integer, 32}});
    kernel_btf = Btf::parse(bytes_of(of_kernel.write()), "the kernel's");
  }

  // A module that has `name`, with one member at `offset`.
  void module(const std::string& name, std::uint32_t offset) {
    BtfWriter writer(of_kernel);
    writer.structure(name, 64, {{"member", integer, offset * 8}});
    const std::string content = writer.write();
    const GuestVirtual data = guest.allocate(content.size());
    std::vector<unsigned> bytes;
    for (const char byte : content) bytes.push_back(static_cast<unsigned char>(byte));
    guest.write_bytes(data, bytes);
    add(data, content.size());
  }
  void add(GuestVirtual data, std::uint64_t size) {
    const GuestVirtual btf = guest.allocate(16);
    guest.write(btf, data);
    guest.write(btf + 8, size, 4);
    const GuestVirtual node = guest.allocate(32);
    guest.write(node + 16, btf);
    guest.append(head, node);
  }

  std::shared_ptr<const TypeSource> find() {
    return find_module_btf(guest.kernel(), guest.types(), kernel_btf, diagnostics);
  }
};

}  // namespace

TEST_CASE("BTF of modules: structures that the kernel itself does not have, of each module") {
  Modules modules;
  modules.module("scsi_device", 8);
  modules.module("pvscsi_adapter", 24);
  const auto types = modules.find();
  REQUIRE(types);
  REQUIRE(types->find_struct("scsi_device") != nullptr);
  CHECK(types->find_struct("scsi_device")->member("member").offset == 8);
  CHECK(types->find_struct("scsi_device")->member("member").size == 4);  // by the kernel's type
  REQUIRE(types->find_struct("pvscsi_adapter") != nullptr);
  CHECK(types->find_struct("pvscsi_adapter")->member("member").offset == 24);
  CHECK(types->find_struct("nowhere") == nullptr);
  REQUIRE(modules.diagnostics.evidence().size() == 1);
  CHECK(modules.diagnostics.evidence()[0].what == "types of modules");
  CHECK(modules.diagnostics.evidence()[0].value == "2");
}

TEST_CASE("BTF of modules: what is known without them they are not asked for") {
  Modules modules;
  modules.module("task_struct", 8);
  const auto types = modules.find();
  REQUIRE(types);
  CHECK(types->find_struct("task_struct") == nullptr);
}

TEST_CASE("BTF of modules: one that can't be read leaves those of the others") {
  Modules modules;
  modules.add(TaskGuest::nowhere, 64);
  modules.add(modules.guest.allocate(64), 64);
  modules.module("scsi_device", 8);
  CHECK(modules.find()->find_struct("scsi_device") != nullptr);
}

TEST_CASE("BTF of modules: all that claims more room than types take is left out") {
  Modules modules;
  modules.module("scsi_device", 8);
  modules.add(modules.guest.allocate(64), most_btf_bytes);
  modules.module("left_out", 8);
  const auto types = modules.find();
  CHECK(types->find_struct("scsi_device") != nullptr);
  CHECK(types->find_struct("left_out") == nullptr);
}

TEST_CASE("BTF of modules: there are none without modules, or without what leads to them") {
  Modules modules;
  CHECK(modules.find() == nullptr);
  TaskGuest guest;
  CHECK(find_module_btf(guest.kernel(), guest.types(), modules.kernel_btf, modules.diagnostics) ==
        nullptr);
}

}  // namespace photon_dmesg::test
