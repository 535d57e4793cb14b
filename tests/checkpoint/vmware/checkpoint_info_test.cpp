#include "checkpoint/vmware/checkpoint_info.h"

#include <catch2/catch.hpp>

#include "support/checkpoint_builder.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

const std::string png = std::string("\x89PNG\r\n\x1a\n", 8) + "pixels";

std::string whole_file() {
  return checkpoint_file(
      {{"Checkpoint", block_tag("ProductName", {}, std::string("VMware ESX\0\0\0", 13)) +
                          block_tag("VersionNumber", {}, "7.0.3") + inline_tag("memSize", {}, 512)},
       {"cpu", inline_tag("cpu:numVCPUs", {}, 1) + inline_tag("rip", {0}, 0x1234, 8)},
       {"MKSVMX", block_tag("imageData", {0}, png)},
       {"Snapshot", block_tag("cfgFile", {}, std::string("memsize = 512\n\0\0", 16))},
       {"memory", region_tags({{0, 0, 131072}})}});
}

CheckpointInfo read(const std::string& bytes) {
  CollectedDiagnostics diagnostics;
  return read_checkpoint_info(BufferSource("vm.vmss", as_bytes(bytes)), diagnostics);
}

std::string text(const std::vector<std::byte>& bytes) {
  return as_text(bytes);
}

}  // namespace

TEST_CASE("read_checkpoint_info: what a checkpoint says of itself") {
  const CheckpointInfo info = read(whole_file());
  CHECK(info.magic == 0xbed2bed2);
  CHECK(info.version == 8);
  CHECK(info.product == "VMware ESX");
  CHECK(info.product_version == "7.0.3");
  CHECK(info.has_screenshot);
  CHECK(info.has_configuration);
  REQUIRE(info.vcpus.size() == 1);
  CHECK(info.vcpus[0].x86.rip == GuestVirtual{0x1234});
  REQUIRE(info.memory);
  CHECK(info.memory->configured_mib == 512U);
  CHECK(info.memory->regions.size() == 1);
  CHECK(info.groups.size() == 5);
  CHECK(info.problems.empty());
}

TEST_CASE("read_checkpoint_info: a damaged group costs only what it holds") {
  const std::string bytes = checkpoint_file(
      {{"cpu", "\x01\xff", false}, {"Checkpoint", block_tag("ProductName", {}, "VMware ESX")}});
  const CheckpointInfo info = read(bytes);
  CHECK(info.product == "VMware ESX");
  CHECK(info.vcpus.empty());
  REQUIRE(info.problems.size() == 1);
  CHECK_THAT(info.problems[0], Catch::Contains("group \"cpu\": truncated"));
}

TEST_CASE("read_checkpoint_info: what is not there is not known") {
  const CheckpointInfo info = read(checkpoint_file({}));
  CHECK_FALSE(info.product);
  CHECK_FALSE(info.has_screenshot);
  CHECK(info.vcpus.empty());
}

TEST_CASE("list_tags: every tag with its number or the text it begins with") {
  const std::string bytes = whole_file();
  std::vector<std::string> problems;
  CollectedDiagnostics diagnostics;
  const std::vector<ListedTag> tags =
      list_tags(BufferSource("vm.vmss", as_bytes(bytes)), problems, diagnostics);
  REQUIRE(tags.size() == 11);
  CHECK(problems.empty());
  CHECK(tags[0].group == "Checkpoint");
  CHECK(tags[0].text == "VMware ESX");
  CHECK(tags[2].number == 512U);
  CHECK(tags[4].tag.name == "rip");
  CHECK(tags[4].tag.indices == std::vector<std::uint32_t>{0});
  CHECK(tags[4].number == 0x1234U);
  CHECK_FALSE(tags[5].number);  // the picture
  CHECK_FALSE(tags[5].text);
}

TEST_CASE("list_tags: groups of one name stand together, in the file's order") {
  const std::string bytes = checkpoint_file({{"b", inline_tag("first", {}, 1)},
                                             {"a", inline_tag("second", {}, 2)},
                                             {"b", inline_tag("third", {}, 3)}});
  std::vector<std::string> problems;
  CollectedDiagnostics diagnostics;
  std::string order;
  for (const ListedTag& tag :
       list_tags(BufferSource("vm.vmss", as_bytes(bytes)), problems, diagnostics)) {
    order += tag.group + "." + tag.tag.name + " ";
  }
  CHECK(order == "b.first b.third a.second ");
}

TEST_CASE("list_tags: a compressed block has neither, and is marked") {
  const std::string bytes =
      checkpoint_file({{"g", block_tag("packed", {}, "abc", {62})}, {"h", "\x09", false}});
  std::vector<std::string> problems;
  CollectedDiagnostics diagnostics;
  const auto tags = list_tags(BufferSource("vm.vmss", as_bytes(bytes)), problems, diagnostics);
  REQUIRE(tags.size() == 1);
  CHECK(tags[0].tag.encoding == CheckpointTag::Encoding::CompressedBlock);
  CHECK_FALSE(tags[0].number);
  CHECK(problems.size() == 1);
}

TEST_CASE("read_screenshot, read_configuration: the bytes as they are, the text to its NUL") {
  const std::string bytes = whole_file();
  const BufferSource file("vm.vmss", as_bytes(bytes));
  CHECK(text(read_screenshot(file)) == png);
  CHECK(text(read_configuration(file)) == "memsize = 512\n");
}

TEST_CASE("read_machine_name: what the configuration calls the machine, if it does") {
  const auto name_in = [](const std::string& configuration) {
    const std::string bytes =
        checkpoint_file({{"Snapshot", block_tag("cfgFile", {}, configuration)}});
    return read_machine_name(BufferSource("vm.vmss", as_bytes(bytes)));
  };
  CHECK(name_in("memsize = \"512\"\ndisplayName = \"Photon (old)\"\nguestOS = \"other\"\n") ==
        "Photon (old)");
  CHECK(name_in("displayname=\"a\"") == "a");
  CHECK(name_in("displayName = \"\"") == "");
  CHECK_FALSE(name_in("memsize = \"512\"\n"));
  CHECK_FALSE(name_in("displayName = \"unfinished"));
  CHECK_FALSE(name_in("displayName"));
  CHECK_FALSE(name_in("displayNames = \"a\""));
  CHECK_FALSE(read_machine_name(
      BufferSource("vm.vmss", as_bytes(std::string(checkpoint_file({{"g", ""}}))))));
}

TEST_CASE("read_screenshot: none, and a compressed one, are named") {
  const std::string none = checkpoint_file({{"MKSVMX", ""}});
  check_fails(Failure::UnusableInput, "vm.vmss: holds no screenshot",
              [&] { (void)read_screenshot(BufferSource("vm.vmss", as_bytes(none))); });
  const std::string packed = checkpoint_file({{"MKSVMX", block_tag("imageData", {}, "abc", {62})}});
  check_fails(Failure::UnusableInput, "can't be taken out: 3 bytes, compressed",
              [&] { (void)read_screenshot(BufferSource("vm.vmss", as_bytes(packed))); });
}

}  // namespace photon_dmesg::test
