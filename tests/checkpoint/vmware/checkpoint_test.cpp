#include "checkpoint/vmware/checkpoint.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "support/bytes.h"
#include "support/checkpoint_builder.h"
#include "support/errors.h"
#include "support/memory_pages.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

struct Files {
  TemporaryFolder folder;
  CollectedDiagnostics diagnostics;

  std::string memory_tags = region_tags({{0, 0, 32}});
  std::uint64_t configured_mib = 0;
  Completeness completeness = Completeness::Required;

  [[nodiscard]] std::filesystem::path write_checkpoint(const std::string& name = "vm.vmss") const {
    return folder.write(name,
                        checkpoint_file({{"Checkpoint", inline_tag("memSize", {}, configured_mib)},
                                         {"memory", memory_tags}}));
  }

  // The checkpoint as the program opens it, with the memory file named if there is one.
  [[nodiscard]] GuestState open(const std::string& memory_file = "") {
    auto memory =
        memory_file.empty() ? nullptr : std::make_unique<InputFile>(folder.path() / memory_file);
    return open_checkpoint(std::make_unique<InputFile>(write_checkpoint()), std::move(memory),
                           disk_tree(), completeness, diagnostics);
  }
};

}  // namespace

TEST_CASE("Checkpoint: memory in a file of its own, by region") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 16}, {0x100000, 16, 16}});
  files.folder.write("other name", numbered_pages(32));
  const GuestState checkpoint = files.open("other name");
  CHECK(page_at(*checkpoint.memory, 15 * page) == 15U);
  CHECK_FALSE(page_at(*checkpoint.memory, 16 * page));
  CHECK(page_at(*checkpoint.memory, 0x100000 * page) == 16U);
  CHECK(page_at(*checkpoint.memory, 0x10000f * page) == 31U);
  CHECK_FALSE(page_at(*checkpoint.memory, 0x100010 * page));
  CHECK(checkpoint.memory->size() == 32 * page);
}

TEST_CASE("Checkpoint: a read into a hole fails as a whole") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 16}, {32, 16, 16}});
  files.folder.write("vm.vmem", numbered_pages(32));
  const GuestState checkpoint = files.open();
  std::array<std::byte, 16> bytes{};
  CHECK(checkpoint.memory->read({16 * page - 16}, bytes));
  CHECK_FALSE(checkpoint.memory->read({16 * page - 8}, bytes));
  CHECK_FALSE(checkpoint.memory->read({32 * page - 8}, bytes));
  CHECK_FALSE(checkpoint.memory->read({48 * page - 8}, bytes));
}

TEST_CASE("Checkpoint: a read across adjacent regions follows them in the image") {
  Files files;
  files.memory_tags = region_tags({{0, 16, 16}, {16, 0, 16}});
  files.folder.write("vm.vmem", numbered_pages(32));
  const GuestState checkpoint = files.open();
  std::array<std::byte, 16> bytes{};
  REQUIRE(checkpoint.memory->read({16 * page - 8}, bytes));
  CHECK(as_text(bytes) == std::string(8, 'a' + 31 % 26) + little_endian(0, 8));
}

TEST_CASE("Checkpoint: the memory file beside it is found in any case of its name") {
  for (const char* name : {"vm.vmem", "vm.VMEM", "VM.Vmem"}) {
    CAPTURE(name);
    Files files;
    files.folder.write(name, numbered_pages(32));
    CHECK(files.open().memory_path == files.folder.path() / name);
  }
}

TEST_CASE("Checkpoint: the exact name wins, and without it several are a question to the user") {
  Files files;
  files.folder.write("vm.VMEM", numbered_pages(32));
  files.folder.write("VM.vmem", numbered_pages(32));
  check_fails(Failure::Usage, "several files beside it fit (VM.vmem, vm.VMEM)",
              [&] { (void)files.open(); });
  files.folder.write("vm.vmem", numbered_pages(32));
  CHECK(files.open().memory_path == files.folder.path() / "vm.vmem");
}

TEST_CASE("Checkpoint: without memory anywhere, the message says what to name") {
  Files files;
  check_fails(Failure::UnusableInput, "holds no memory, and there is no vm.vmem beside it",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: monolithic, with padding in front of the memory") {
  for (const std::uint16_t padding : std::initializer_list<std::uint16_t>{0, 1, 4095, 65535}) {
    CAPTURE(padding);
    Files files;
    files.memory_tags = region_tags({{0, 0, 32}}) +
                        block_tag("Memory", {0, 0}, numbered_pages(32), {63, 8, padding});
    const GuestState checkpoint = files.open();
    CHECK(page_at(*checkpoint.memory, 31 * page) == 31U);
    CHECK(checkpoint.memory_path == checkpoint.path);
  }
}

TEST_CASE("Checkpoint: monolithic needs no memory file, and says so of one that is named") {
  Files files;
  files.memory_tags = block_tag("Memory", {0, 0}, numbered_pages(32));
  files.folder.write("named", std::string(page, 'x'));
  const GuestState checkpoint = files.open("named");
  CHECK(page_at(*checkpoint.memory, 31 * page) == 31U);
  REQUIRE(files.diagnostics.warnings().size() == 1);
  CHECK_THAT(files.diagnostics.warnings().front(),
             Catch::Contains("not used: ") && Catch::Contains("holds the memory itself"));
}

TEST_CASE("Checkpoint: a memory block shorter than the regions is refused") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 32}}) + block_tag("Memory", {0, 0}, numbered_pages(31));
  check_fails(Failure::UnusableInput, "the regions describe 131072 bytes of memory, found a block",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: a compressed memory block is refused by its name") {
  Files files;
  files.memory_tags = block_tag("Memory", {0, 0}, numbered_pages(1), {62});
  check_fails(Failure::UnusableInput, "the memory in tag \"Memory\" at offset",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: a memory file may be padded to the alignment, no more and no less") {
  Files files;
  const std::string memory = numbered_pages(32);
  files.folder.write("vm.vmem", memory + std::string(0x10000 - 1, '\0'));
  CHECK_NOTHROW((void)files.open());
  files.folder.write("vm.vmem", memory + std::string(0x10000, '\0'));
  check_fails(Failure::Mismatch, "describes 131072 bytes of memory, found 196608",
              [&] { (void)files.open(); });
  files.folder.write("vm.vmem", memory.substr(1));
  check_fails(Failure::Mismatch, "describes 131072 bytes of memory, found 131071",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: align_mask widens the padding, a senseless one does not") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32) + std::string(0x10000, '\0'));
  files.memory_tags = region_tags({{0, 0, 32}}) + inline_tag("align_mask", {}, 0x1ffff);
  CHECK_NOTHROW((void)files.open());
  files.memory_tags = region_tags({{0, 0, 32}}) + inline_tag("align_mask", {}, 0xffffffff);
  check_fails(Failure::Mismatch, "found 196608", [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: regions that are less than the machine's memory are a warning") {
  for (const auto& [configured_mib, warnings] : {std::pair{1U, 0U}, {2U, 1U}}) {
    Files files;
    files.memory_tags = region_tags({{0, 0, 256}});
    files.configured_mib = configured_mib;
    files.folder.write("vm.vmem", numbered_pages(256));
    (void)files.open();
    REQUIRE(files.diagnostics.warnings().size() == warnings);
    if (warnings > 0) {
      CHECK_THAT(files.diagnostics.warnings().front(),
                 Catch::Contains("add up to 1048576 bytes, but the machine has 2097152"));
    }
  }
}

TEST_CASE("Checkpoint: without regions the configured size must be there") {
  Files files;
  files.memory_tags = "";
  files.configured_mib = 1;
  files.folder.write("vm.vmem", numbered_pages(256));
  CHECK(page_at(*files.open().memory, 255 * page) == 255U);
  files.folder.write("vm.vmem", numbered_pages(255));
  check_fails(Failure::Mismatch, "describes 1048576 bytes", [&] { (void)files.open(); });
  files.completeness = Completeness::NotRequired;
  const GuestState cut = files.open();
  REQUIRE(cut.missing.size() == 1);
  CHECK(cut.missing.front().begin == GuestPhysical{255 * page});
  CHECK(cut.missing.front().size == page);
  CHECK(page_at(*cut.memory, 254 * page) == 254U);
  CHECK_FALSE(page_at(*cut.memory, 255 * page));
  // Once, and not by the configuration as well.
  REQUIRE(files.diagnostics.warnings().size() == 1);
  CHECK_THAT(files.diagnostics.warnings().front(), Catch::Contains("vm.vmem: incomplete"));
}

TEST_CASE("Checkpoint: a count of 0 regions means 1:1, and a single one may leave out its place") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  files.memory_tags = inline_tag("regionsCount", {}, 0);
  CHECK(page_at(*files.open().memory, 31 * page) == 31U);
  files.memory_tags = inline_tag("regionsCount", {}, 1) + inline_tag("regionPPN", {}, 0) +
                      inline_tag("regionSize", {}, 32);
  CHECK(page_at(*files.open().memory, 31 * page) == 31U);
}

TEST_CASE("Checkpoint: region numbers of 8 bytes are read whole") {
  Files files;
  files.memory_tags = inline_tag("regionsCount", {}, 1) +
                      inline_tag("regionPPN", {0}, 0x123456789, 8) +
                      inline_tag("regionPageNum", {0}, 0, 8) + inline_tag("regionSize", {0}, 32, 8);
  files.folder.write("vm.vmem", numbered_pages(32));
  CHECK(page_at(*files.open().memory, 0x123456789 * page) == 0U);
}

TEST_CASE("Checkpoint: a mask of alignment that can be none is passed over") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  for (const std::uint64_t mask : {~std::uint64_t{0}, std::uint64_t{1} << 40, std::uint64_t{0}}) {
    CAPTURE(mask);
    files.memory_tags = inline_tag("align_mask", {}, mask, 8) + region_tags({{0, 0, 32}});
    CHECK(page_at(*files.open().memory, 31 * page) == 31U);
  }
}

TEST_CASE("Checkpoint: a region that lacks a tag, or too many regions, are refused") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  files.memory_tags = region_tags({{0, 0, 16}}) + inline_tag("regionsCount", {}, 2) +
                      inline_tag("regionPPN", {1}, 16);
  check_fails(Failure::UnusableInput,
              "memory region 1 of 2: expected regionPPN, regionPageNum and "
              "regionSize, found 1 of the three",
              [&] { (void)files.open(); });
  files.memory_tags = inline_tag("regionsCount", {}, 0xffffffff);
  check_fails(Failure::UnusableInput, "expected at most 1024 memory regions, found 4294967295",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: more regions than are counted are damage, whichever of the two is wrong") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  for (const std::uint64_t count : {0U, 1U}) {
    files.memory_tags =
        region_tags({{0, 0, 16}, {0x100000, 16, 16}}) + inline_tag("regionsCount", {}, count);
    check_fails(Failure::UnusableInput,
                fmt::format("damaged: {} memory regions are counted, and 2 described", count),
                [&] { (void)files.open(); });
  }
}

TEST_CASE("Checkpoint: an empty or encrypted memory file is named as such") {
  Files files;
  files.folder.write("vm.vmem", "");
  check_fails(Failure::UnusableInput, "vm.vmem: expected the guest's memory, found an empty file",
              [&] { (void)files.open(); });
  files.folder.write("vm.vmem", "\x9e\xdd\x43\x89" + numbered_pages(32));
  check_fails(Failure::UnusableInput, "vm.vmem: a file of an encrypted virtual machine",
              [&] { (void)files.open(); });
}

TEST_CASE("Checkpoint: memory that is cut short is read as far as it is there, if that will do") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 16}, {0x100000, 16, 16}});
  files.folder.write("vm.vmem", numbered_pages(20));
  check_fails(Failure::Mismatch, "describes 131072 bytes of memory, found 81920",
              [&] { (void)files.open(); });
  files.completeness = Completeness::NotRequired;
  const GuestState checkpoint = files.open();
  REQUIRE(checkpoint.missing.size() == 1);
  CHECK(checkpoint.missing.front().begin == GuestPhysical{0x100004 * page});
  CHECK(checkpoint.missing.front().size == 12 * page);
  CHECK(page_at(*checkpoint.memory, 0x100003 * page) == 19U);
  CHECK_FALSE(page_at(*checkpoint.memory, 0x100004 * page));
  CHECK_THAT(files.diagnostics.warnings().back(), Catch::Contains("vm.vmem: incomplete"));
}

TEST_CASE("Checkpoint: monolithic and cut short, its memory is read as far as it is there") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 16}}) + block_tag("Memory", {}, numbered_pages(16));
  const auto path = files.write_checkpoint();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 2 * page);
  const auto open = [&](Completeness completeness) {
    return open_checkpoint(std::make_unique<InputFile>(path), nullptr, disk_tree(), completeness,
                           files.diagnostics);
  };
  check_fails(Failure::UnusableInput, "vm.vmss: truncated",
              [&] { (void)open(Completeness::Required); });
  const GuestState checkpoint = open(Completeness::NotRequired);
  CHECK(page_at(*checkpoint.memory, 13 * page) == 13U);
  CHECK_FALSE(page_at(*checkpoint.memory, 15 * page));
  CHECK_THAT(files.diagnostics.warnings().back(), Catch::Contains("vm.vmss: incomplete"));
}

TEST_CASE("Checkpoint: where its registers are cut off, its memory is read") {
  Files files;
  const std::string vcpus = inline_tag("cpu:numVCPUs", {}, 1) + inline_tag("rip", {0}, 1, 8);
  const auto path = files.folder.write(
      "vm.vmss", checkpoint_file({{"Checkpoint", ""},
                                  {"memory", region_tags({{0, 0, 16}}) +
                                                 block_tag("Memory", {}, numbered_pages(16))},
                                  {"cpu", vcpus}}));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 10);
  const auto open = [&](Completeness completeness) {
    return open_checkpoint(std::make_unique<InputFile>(path), nullptr, disk_tree(), completeness,
                           files.diagnostics);
  };
  check_fails(Failure::UnusableInput, "truncated: expected the group \"cpu\"",
              [&] { (void)open(Completeness::Required); });
  const GuestState checkpoint = open(Completeness::NotRequired);
  CHECK(page_at(*checkpoint.memory, 15 * page) == 15U);
  CHECK(checkpoint.missing.empty());
  CHECK(checkpoint.vcpus.size() == 1);
  CHECK_THAT(files.diagnostics.warnings().at(0), Catch::Contains("registers of vCPUs are missing"));
}

TEST_CASE("Checkpoint: a memory that is named while another has the checkpoint's name") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  files.folder.write("other.vmem", numbered_pages(32));
  (void)files.open("other.vmem");
  REQUIRE(files.diagnostics.warnings().size() == 1);
  CHECK_THAT(files.diagnostics.warnings().front(),
             Catch::Contains("vm.vmem: the memory beside") && Catch::Contains("is not used"));
  (void)files.open("vm.vmem");
  CHECK(files.diagnostics.warnings().size() == 1);
}

TEST_CASE(
    "Checkpoint: memory that was named though it lies beside its own checkpoint is a warning") {
  Files files;
  files.memory_tags = region_tags({{0, 0, 32}});
  files.folder.write("vm-Snapshot2.vmem", numbered_pages(32));
  (void)files.open("vm-Snapshot2.vmem");
  CHECK(files.diagnostics.warnings().empty());
  (void)files.write_checkpoint("vm-Snapshot2.vmsn");
  (void)files.open("vm-Snapshot2.vmem");
  REQUIRE(files.diagnostics.warnings().size() == 1);
  CHECK_THAT(files.diagnostics.warnings().front(),
             Catch::Contains("vm-Snapshot2.vmsn: the checkpoint beside") &&
                 Catch::Contains("is not used"));
}

TEST_CASE("Checkpoint: through a symbolic link, its memory lies beside what that leads to") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  std::filesystem::create_directory(files.folder.path() / "ticket");
  const auto link = files.folder.path() / "ticket" / "4711.vmss";
  std::filesystem::create_symlink(files.write_checkpoint(), link);
  const GuestState checkpoint = open_checkpoint(std::make_unique<InputFile>(link), nullptr,
                                                disk_tree(), files.completeness, files.diagnostics);
  CHECK(page_at(*checkpoint.memory, 31 * page) == 31U);
}

TEST_CASE("Checkpoint: the memory of an arm64 machine begins at 2 GiB, unless regions say else") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  folder.write("arm.vmem", numbered_pages(32));
  const auto open = [&](const std::string& regions) {
    const auto path =
        folder.write("arm.vmss", checkpoint_file({{"Checkpoint", inline_tag("Platform", {}, 3)},
                                                  {"memory", regions},
                                                  {"cpu", inline_tag("cpu:numVCPUs", {}, 2)}}));
    return open_checkpoint(std::make_unique<InputFile>(path), nullptr, disk_tree(),
                           Completeness::Required, diagnostics);
  };
  const GuestState without = open("");
  CHECK(without.vcpus.at(1).machine == Machine::Aarch64);
  CHECK(without.memory->ranges().front().begin == GuestPhysical{0x80000000});
  CHECK(page_at(*without.memory, 0x80000000 + 31 * page) == 31U);
  REQUIRE(without.other_bases.size() == 2);  // where machines of other kinds have it
  CHECK(page_at(*without.other_bases[0], 31 * page) == 31U);
  CHECK(page_at(*without.other_bases[1], 0x40000000 + 31 * page) == 31U);
  const GuestState with =
      open(inline_tag("regionPPN", {0}, 0x70000) + inline_tag("regionPageNum", {0}, 0) +
           inline_tag("regionSize", {0}, 32));
  CHECK(page_at(*with.memory, 0x70000000 + 31 * page) == 31U);
  CHECK(with.other_bases.empty());
}

TEST_CASE("Checkpoint: a file cut at any byte of its groups is refused") {
  Files files;
  files.folder.write("vm.vmem", numbered_pages(32));
  const auto path = files.write_checkpoint();
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t length = 12; length < size; ++length) {
    CAPTURE(length);
    std::filesystem::resize_file(files.write_checkpoint(), length);
    check_fails(Failure::UnusableInput, "vm.vmss: truncated", [&] {
      const GuestState checkpoint =
          open_checkpoint(std::make_unique<InputFile>(path), nullptr, disk_tree(),
                          files.completeness, files.diagnostics);
    });
  }
}

}  // namespace photon_dmesg::test
