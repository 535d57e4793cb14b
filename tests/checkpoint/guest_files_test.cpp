#include "checkpoint/guest_files.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "checkpoint/vmware/companion_file.h"
#include "support/checkpoint_builder.h"
#include "support/elf_core_builder.h"
#include "support/errors.h"
#include "support/lime_builder.h"
#include "support/memory_pages.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

GuestState open_alone(const TemporaryFolder& folder, const std::string& name,
                      const std::string& content) {
  CollectedDiagnostics diagnostics;
  GuestFiles files;
  auto file = folder.write_and_open(name, content);
  files.kind = identify_guest_file(*file);
  if (files.kind == GuestFileKind::Unmarked) {
    files.memory = std::move(file);
  } else {
    files.state.push_back(std::move(file));
  }
  return open_guest(std::move(files), diagnostics);
}

std::string checkpoint_of(std::size_t pages) {
  return checkpoint_file({{"memory", region_tags({{0, 0, pages}})}});
}

}  // namespace

TEST_CASE("identify_guest_file: by content") {
  const auto kind_of = [](const std::string& content) {
    return identify_guest_file(BufferSource("file", as_bytes(content)));
  };
  CHECK(kind_of(checkpoint_file({})) == GuestFileKind::Checkpoint);
  CHECK(kind_of(elf_core({})) == GuestFileKind::ElfCore);
  CHECK(kind_of("KDUMP   and so on") == GuestFileKind::Kdump);
  CHECK(kind_of("DISKDUMP and so on") == GuestFileKind::Kdump);
  CHECK(kind_of(std::string("makedumpfile\0\0\0\0and so on", 25)) == GuestFileKind::Kdump);
  CHECK(kind_of(lime_range(0, "memory")) == GuestFileKind::Lime);
  CHECK(kind_of(numbered_pages(2)) == GuestFileKind::Unmarked);
  CHECK(kind_of("") == GuestFileKind::Unmarked);
}

TEST_CASE("identify_guest_file: what can't be used is named, with what helps") {
  const auto check = [](const std::string& content, const std::string& message) {
    CAPTURE(message);
    check_fails(Failure::UnusableInput, message,
                [&] { (void)identify_guest_file(BufferSource("file", as_bytes(content))); });
  };
  check("\x9e\xdd\x43\x89" + little_endian(1, 4), "file: the checkpoint of an encrypted");
  check("\x9e\xdd\x43\x89" + little_endian(2, 4), "file: the memory of an encrypted");
  check("\x9e\xdd\x43\x89" + little_endian(9, 4), "file: a file of an encrypted");
}

TEST_CASE("open_guest: a LiME image's ranges, and damage in any of them") {
  const TemporaryFolder folder;
  const std::string memory = numbered_pages(4);
  const std::string image =
      lime_range(page, memory.substr(0, 2 * page)) + lime_range(8 * page, memory.substr(2 * page));
  const GuestState state = open_alone(folder, "guest.lime", image);
  CHECK_FALSE(page_at(*state.memory, 0));
  CHECK(page_at(*state.memory, 2 * page) == 1U);
  CHECK(page_at(*state.memory, 8 * page) == 2U);
  CHECK(state.vcpus.empty());
  check_fails(Failure::UnusableInput, "guest.lime: truncated",
              [&] { (void)open_alone(folder, "guest.lime", image.substr(0, image.size() - 1)); });
  std::string damaged = image;
  damaged[32 + 2 * page] = 'x';
  check_fails(Failure::UnusableInput, "expected a LiME range",
              [&] { (void)open_alone(folder, "guest.lime", damaged); });
}

TEST_CASE("open_guest: a flattened dump may hold an ELF core") {
  const TemporaryFolder folder;
  const std::string core = elf_core({{0x100000, numbered_pages(4)}});
  const auto big_endian = [](std::size_t value) {
    std::string bytes = little_endian(value, 8);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
  };
  const auto piece = [&](std::size_t at, std::size_t size) {
    return big_endian(at) + big_endian(size) + core.substr(at, size);
  };
  // As it is written: the header, which tells of all else, last.
  const std::string flattened = std::string("makedumpfile\0\0\0\0", 16) + std::string(4080, '\0') +
                                piece(page, core.size() - page) + piece(0, page) +
                                std::string(16, '\xff');
  const GuestState state = open_alone(folder, "vmcore.flat", flattened);
  CHECK(page_at(*state.memory, 0x100000 + 3 * page) == 3U);
  check_fails(Failure::UnusableInput, "vmcore.flat: truncated or damaged",
              [&] { (void)open_alone(folder, "vmcore.flat", flattened.substr(0, 3 * page)); });
  check_fails(Failure::UnusableInput, "ends at 0x1008",
              [&] { (void)open_alone(folder, "vmcore.flat", flattened.substr(0, page + 8)); });
}

TEST_CASE("open_guest: memory alone lies 1:1 up to 3 GiB") {
  const TemporaryFolder folder;
  const GuestState state = open_alone(folder, "vm.vmem", numbered_pages(16));
  CHECK(page_at(*state.memory, 15 * page) == 15U);
  CHECK(state.other_readings.empty());
}

TEST_CASE("open_guest: more memory alone goes on at 4 GiB, or may be flat") {
  const TemporaryFolder folder;
  constexpr std::uint64_t low = 0xc0000000;
  const auto path = folder.write("vm.vmem", "");
  std::filesystem::resize_file(path, low + 2 * page);
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(low + page);
    file << little_endian(77, 8);
  }
  CollectedDiagnostics diagnostics;
  GuestFiles files;
  files.memory = std::make_unique<InputFile>(path);
  const GuestState state = open_guest(std::move(files), diagnostics);
  CHECK_FALSE(page_at(*state.memory, low));
  CHECK(page_at(*state.memory, 0x100000000 + page) == 77U);
  CHECK_FALSE(page_at(*state.memory, 0x100000000 + 2 * page));
  REQUIRE(state.other_readings.size() == 1);
  CHECK(page_at(*state.other_readings[0], low + page) == 77U);
}

TEST_CASE("open_guest: memory alone takes the one checkpoint beside it") {
  for (const char* name : {"vm.vmss", "vm.VMSN"}) {
    CAPTURE(name);
    const TemporaryFolder folder;
    folder.write(name, checkpoint_of(16));
    const GuestState state = open_alone(folder, "vm.vmem", numbered_pages(16));
    CHECK(state.path == folder.path() / name);
  }
}

TEST_CASE("open_guest: what is called a checkpoint beside memory alone, and is none, is named") {
  const TemporaryFolder folder;
  folder.write("vm.vmss", "");
  check_fails(Failure::UnusableInput, "vm.vmss: the file is empty",
              [&] { (void)open_alone(folder, "vm.vmem", numbered_pages(16)); });
  folder.write("vm.vmss", std::string(5000, '\0'));
  check_fails(Failure::UnusableInput, "vm.vmss: expected a checkpoint (.vmss or .vmsn",
              [&] { (void)open_alone(folder, "vm.vmem", numbered_pages(16)); });
}

TEST_CASE("open_guest: memory alone beside a .vmss and a .vmsn is a question that names both") {
  const TemporaryFolder folder;
  folder.write("vm.vmss", checkpoint_of(16));
  folder.write("vm.vmsn", checkpoint_of(16));
  check_fails(Failure::Usage, "(vm.vmsn, vm.vmss): name the one to use",
              [&] { (void)open_alone(folder, "vm.vmem", numbered_pages(16)); });
}

TEST_CASE("open_guest: a core beside which memory is named is a question") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  GuestFiles files;
  files.kind = GuestFileKind::ElfCore;
  files.state.push_back(folder.write_and_open("vmss.core", elf_core({{0, numbered_pages(1)}})));
  files.memory = folder.write_and_open("vm.vmem", numbered_pages(1));
  check_fails(Failure::Usage, "vmss.core (ELF core) holds the memory itself",
              [&] { (void)open_guest(std::move(files), diagnostics); });
}

TEST_CASE("find_companion: packed with gzip counts too, the exact name first") {
  const TemporaryFolder folder;
  CHECK_FALSE(find_companion(disk_tree(), folder.path() / "debug.guest.gz", {"vmem"}));
  folder.write("debug.vmem.gz", "x");
  CHECK(find_companion(disk_tree(), folder.path() / "debug.guest.gz", {"vmem"}) ==
        folder.path() / "debug.vmem.gz");
  folder.write("debug.vmem", "x");
  CHECK(find_companion(disk_tree(), folder.path() / "debug.guest.gz", {"vmem"}) ==
        folder.path() / "debug.vmem");
}

}  // namespace photon_dmesg::test
