#include "base/input_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <random>

#include "base/file_stream.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

std::string random_text(std::size_t size) {
  std::mt19937 generator(1);  // the same bytes in every run
  std::string text(size, '\0');
  for (char& byte : text) byte = static_cast<char>(generator());
  return text;
}

std::string read_text(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

TEST_CASE("InputFile: every range reads as it was written, whatever was read before") {
  const TemporaryFolder folder;
  const std::string content = random_text(3'000'003);  // more pages than the cache has slots
  const auto file = folder.write_and_open("file", content);
  REQUIRE(file->size() == content.size());
  std::mt19937 generator(2);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t size = generator() % (i % 10 == 0 ? 100'000 : 300);
    const std::size_t offset = generator() % (content.size() - size + 1);
    CAPTURE(offset, size);
    REQUIRE(read_text(*file, offset, size) == content.substr(offset, size));
  }
}

TEST_CASE("InputFile: the last byte can be read, the one behind it can't") {
  const TemporaryFolder folder;
  const auto file = folder.write_and_open("file", std::string(16384, 'a') + "z");
  CHECK(read_text(*file, 16384, 1) == "z");
  check_fails(Failure::UnusableInput, "it ends at 0x4001",
              [&] { (void)read_text(*file, 16384, 2); });
}

TEST_CASE("InputFile: what can't be read is named with the reason") {
  const TemporaryFolder folder;
  check_fails(Failure::UnusableInput, "absent: can't be opened: No such file or directory",
              [&] { InputFile(folder.path() / "absent"); });
  check_fails(Failure::UnusableInput, "expected a regular file, found a directory",
              [&] { const InputFile file(folder.path()); });
  check_fails(Failure::UnusableInput, "expected a regular file, found something else",
              [&] { InputFile("/dev/null"); });
}

TEST_CASE("InputFile: a pipe that nobody writes to is refused, and not waited for") {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  check_fails(Failure::UnusableInput, "pipe: expected a regular file, found something else",
              [&] { const InputFile file(pipe); });
}

TEST_CASE("InputFile: a file that becomes shorter while it is read is an error") {
  const TemporaryFolder folder;
  const auto file = folder.write_and_open("file", std::string(100'000, 'a'));
  REQUIRE(::truncate(file->path().c_str(), 10) == 0);
  check_fails(Failure::UnusableInput, "the file became shorter",
              [&] { (void)read_text(*file, 50'000, 10); });
  check_fails(Failure::UnusableInput, "the file became shorter",
              [&] { (void)read_text(*file, 0, 50'000); });
}

TEST_CASE("FileStream: gives the whole file once, in order") {
  const TemporaryFolder folder;
  const std::string content = random_text(700'001);
  const auto file = folder.write_and_open("file", content);
  FileStream stream(*file);
  std::string found;
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) found += as_text(bytes);
  CHECK(found == content);
  CHECK(stream.next().empty());
}

}  // namespace photon_dmesg::test
