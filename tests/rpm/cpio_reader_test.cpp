#include "rpm/cpio_reader.h"

#include <catch2/catch.hpp>

#include "support/cpio_writer.h"
#include "support/errors.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {
namespace {

std::vector<RpmPackage::File> package_files() {
  RpmPackage::File first;
  first.path = "/usr/lib/debug";
  RpmPackage::File second;
  second.path = "/usr/lib/debug/vmlinux";
  second.size = 7;
  second.regular_file = true;
  return {first, second};
}

// Every member's path and content.
std::vector<std::pair<std::string, std::string>> read(const std::string& archive) {
  ShortStream stream(archive, 5);
  const std::vector<RpmPackage::File> files = package_files();
  CpioReader reader(stream, files);
  std::vector<std::pair<std::string, std::string>> members;
  while (const auto member = reader.next_member()) {
    std::string content;
    for (auto bytes = reader.next_data(); !bytes.empty(); bytes = reader.next_data()) {
      content += as_text(bytes);
    }
    members.emplace_back(member->path, content);
  }
  return members;
}

}  // namespace

TEST_CASE("CpioReader: members with content of any length, and their ends") {
  const auto members =
      read(newc("./usr", "", cpio_folder) + newc("./a", "x") + newc("./b", "12345678") + trailer);
  REQUIRE(members.size() == 3);
  CHECK(members[0] == std::pair<std::string, std::string>{"./usr", ""});
  CHECK(members[1] == std::pair<std::string, std::string>{"./a", "x"});
  CHECK(members[2] == std::pair<std::string, std::string>{"./b", "12345678"});
}

TEST_CASE("CpioReader: RPM's own headers name files by their number in the package") {
  const auto members = read(stripped(0, "") + stripped(1, "vmlinux") + trailer);
  REQUIRE(members.size() == 2);
  CHECK(members[1] == std::pair<std::string, std::string>{"/usr/lib/debug/vmlinux", "vmlinux"});
  check_fails(Failure::UnusableInput, "file 2 of 2", [] { (void)read(stripped(2, "")); });
}

TEST_CASE("CpioReader: of files named by number, links have what rpm puts there") {
  // Two names of one file (hard links), of which the last has the content, and a symbolic link,
  // which has its target.
  std::vector<RpmPackage::File> files(4);
  for (const std::size_t i : {0U, 2U, 3U}) files[i].regular_file = true;
  files[0].path = "/boot/first";
  files[0].last_name = 2;
  files[1].path = "/boot/link";
  files[1].symbolic_link = true;
  files[1].size = 5;
  files[2].path = "/boot/second";
  files[3].path = "/boot/third";
  for (const std::size_t i : {0U, 2U, 3U}) files[i].size = 7;
  ShortStream stream(stripped(0, "") + stripped(1, "first") + stripped(2, "content") +
                         stripped(3, "another") + trailer,
                     5);
  CpioReader reader(stream, files);
  std::vector<std::string> contents;
  std::vector<std::uint64_t> inodes;
  while (const auto member = reader.next_member()) {
    std::string& content = contents.emplace_back();
    for (auto bytes = reader.next_data(); !bytes.empty(); bytes = reader.next_data()) {
      content += as_text(bytes);
    }
    inodes.push_back(member->inode.value());
  }
  CHECK(contents == std::vector<std::string>{"", "first", "content", "another"});
  CHECK(inodes == std::vector<std::uint64_t>{2, 1, 2, 3});
}

TEST_CASE("CpioReader: damage is named") {
  check_fails(Failure::UnusableInput, "expected a header (070701)",
              [] { (void)read("070707..."); });
  check_fails(Failure::UnusableInput, "truncated", [] { (void)read(newc("./a", "x")); });
  std::string odd = newc("./a", "x") + trailer;
  odd[8] = 'x';
  check_fails(Failure::UnusableInput, "an inode: expected 8 hexadecimal digits",
              [&] { (void)read(odd); });
  std::string long_path = newc("./a", "x") + trailer;
  long_path.replace(6 + 11 * 8, 8, "ffffffff");
  check_fails(Failure::UnusableInput, "a path of at most 4096 bytes",
              [&] { (void)read(long_path); });
}

TEST_CASE("CpioReader: more than any kernel's package unpacks to is refused at once") {
  std::vector<RpmPackage::File> files = package_files();
  files[1].size = std::uint64_t{1} << 50;
  ShortStream stream(stripped(1, "vmlinux"));
  CpioReader reader(stream, files);
  check_fails(Failure::UnusableInput, "expected a kernel's package",
              [&] { (void)reader.next_member(); });
}

}  // namespace photon_dmesg::test
