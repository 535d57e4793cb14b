#include "base/output_file.h"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>
#include <vector>

#include "base/input_file.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

struct stat status_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void ignore(std::uint64_t /*done*/) {}

}  // namespace

TEST_CASE("OutputFile: appears under its name only when it is whole") {
  const TemporaryFolder folder;
  {
    OutputFile file(folder.path() / "core", Access::Private);
    file.write(0, std::string_view("half"));
    CHECK(std::filesystem::is_empty(folder.path()));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  OutputFile file(folder.path() / "core", Access::Private);
  file.write(2, std::string_view("whole"));
  file.finish(9);
  CHECK(content_of(folder.path() / "core") == std::string("\0\0whole\0\0", 9));
  CHECK((status_of(folder.path() / "core").st_mode & 0777) == 0600);
}

TEST_CASE("OutputFile: many at once under one name, and one of them whole is left") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::atomic<bool> failed = false;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([&, letter] {
      const std::string content(10'000, letter);
      try {
        for (int i = 0; i < 50; ++i)
          write_file(folder.path() / "file", Access::Private, as_bytes(content));
      } catch (const Error&) {
        failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(failed);
  const std::string content = content_of(folder.path() / "file");
  CHECK(content == std::string(10'000, content.at(0)));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("OutputFile: a name may be as long as the file system lets names be") {
  const TemporaryFolder folder;
  const std::filesystem::path longest = folder.path() / std::string(255, 'x');
  write_file(longest, Access::Private, as_bytes(std::string("content")));
  CHECK(content_of(longest) == "content");
}

TEST_CASE("OutputFile: takes the place of an older file in one step") {
  const TemporaryFolder folder;
  folder.write("core", "older and longer");
  OutputFile file(folder.path() / "core", Access::Private);
  file.write(0, std::string_view("new"));
  CHECK(content_of(folder.path() / "core") == "older and longer");
  file.finish(3);
  CHECK(content_of(folder.path() / "core") == "new");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("OutputFile: a new file has the rights that its kind has") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  for (const auto& [name, access, mode] :
       {std::tuple{"public", Access::Public, 0640}, std::tuple{"private", Access::Private, 0600},
        std::tuple{"owner", Access::OwnerOnly, 0600}}) {
    write_file(folder.path() / name, access, as_bytes("new"));
    CHECK((status_of(folder.path() / name).st_mode & 0777) == static_cast<mode_t>(mode));
  }
  ::umask(before);
}

TEST_CASE("OutputFile: a file that it takes the place of keeps its mode") {
  const TemporaryFolder folder;
  const auto path = folder.write("log", "older");
  const mode_t before = ::umask(027);
  for (const mode_t mode : {0600U, 0644U, 0664U, 0604U, 0755U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    for (const Access access : {Access::Public, Access::Commands, Access::Private}) {
      write_file(path, access, as_bytes("new"));
      CHECK((status_of(path).st_mode & 07777) == mode);
    }
  }
  write_file(path, Access::OwnerOnly, as_bytes("new"));
  CHECK((status_of(path).st_mode & 07777) == 0600);
  ::umask(before);
}

TEST_CASE("OutputFile: another user's file stays theirs, unless what it gets is secret or run") {
  if (::geteuid() != 0) return;  // nobody else can give files away
  const TemporaryFolder folder;
  const auto path = folder.write("log", "older");
  const auto give_away = [&] {
    REQUIRE(::chown(path.c_str(), 65534, 65533) == 0);
    REQUIRE(::chmod(path.c_str(), 0664) == 0);
  };
  give_away();
  write_file(path, Access::Public, as_bytes("new"));
  CHECK(status_of(path).st_uid == 65534);
  CHECK(status_of(path).st_gid == 65533);
  CHECK((status_of(path).st_mode & 07777) == 0664);
  for (const Access access : {Access::Commands, Access::Private, Access::OwnerOnly}) {
    give_away();
    write_file(path, access, as_bytes("new"));
    CHECK(status_of(path).st_uid == 0);
    CHECK((status_of(path).st_mode & 07022) == 0);
  }
}

TEST_CASE("OutputFile: never takes the place of a file that was read, under whatever name") {
  const TemporaryFolder folder;
  const auto path = folder.write("vm.vmem", "evidence");
  std::filesystem::create_hard_link(path, folder.path() / "hard");
  std::filesystem::create_symlink("vm.vmem", folder.path() / "link");
  { const InputFile file(path); }
  for (const char* name : {"vm.vmem", "hard", "link"}) {
    check_fails(Failure::Usage, std::string(name) + ": this is one of the inputs",
                [&] { write_file(folder.path() / name, Access::Private, as_bytes("log")); });
    CHECK(content_of(folder.path() / name) == "evidence");
  }
  CHECK(std::filesystem::is_symlink(folder.path() / "link"));
}

TEST_CASE("OutputFile: a file that is read while the output is made is not replaced either") {
  const TemporaryFolder folder;
  const auto path = folder.write("vm.vmem", "evidence");
  {
    OutputFile file(path, Access::Private);
    file.write(0, std::string_view("log"));
    { const InputFile input(path); }
    check_fails(Failure::Usage, "this is one of the inputs", [&] { file.finish(3); });
  }
  CHECK(content_of(path) == "evidence");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("OutputFile: copies with holes left as holes") {
  const TemporaryFolder folder;
  const auto path = folder.write("memory", "begin");
  constexpr std::uint64_t size = 64 * 1024 * 1024;
  std::filesystem::resize_file(path, size);
  {
    std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(size / 2);
    out << "middle";
  }
  const InputFile source(path);
  OutputFile file(folder.path() / "core", Access::Private);
  std::uint64_t reported = 0;
  file.copy(source, 0, size, 4096, [&](std::uint64_t done) { reported = done; });
  file.finish(size + 4096);
  const InputFile copy(folder.path() / "core");
  std::string found(6, '\0');
  copy.read_at(4096 + size / 2, std::as_writable_bytes(std::span(found)));
  CHECK(found == "middle");
  found.resize(5);
  copy.read_at(4096, std::as_writable_bytes(std::span(found)));
  CHECK(found == "begin");
  CHECK(copy.size() == size + 4096);
  CHECK(reported == size);
  CHECK(status_of(folder.path() / "core").st_blocks <= status_of(path).st_blocks + 64);
}

TEST_CASE("OutputFile: copies what is in no file, without blocks of zeros") {
  const TemporaryFolder folder;
  const std::string text = std::string(1 << 20, '\0') + "text" + std::string(1 << 20, '\0');
  const BufferSource source("source", as_bytes(text));
  OutputFile file(folder.path() / "core", Access::Private);
  file.copy(source, 0, text.size(), 0, ignore);
  file.finish(text.size());
  CHECK(content_of(folder.path() / "core") == text);
  CHECK(status_of(folder.path() / "core").st_blocks <= 64);
}

TEST_CASE("OutputFile: a part of a source goes to where it is wanted") {
  const TemporaryFolder folder;
  const InputFile source(folder.write("source", "0123456789"));
  OutputFile file(folder.path() / "core", Access::Private);
  file.copy(source, 3, 4, 1, ignore);
  file.finish(6);
  CHECK(content_of(folder.path() / "core") == std::string("\0003456\0", 6));
}

TEST_CASE("OutputFile: a folder that can't be written to is an error with its reason") {
  check_fails(Failure::Incomplete, "/proc/nowhere/core: can't be created",
              [] { const OutputFile file("/proc/nowhere/core", Access::Private); });
}

TEST_CASE("OutputFile: what can't be written is an error") {
  const TemporaryFolder folder;
  OutputFile file(folder.path() / "core", Access::Private);
  check_fails(Failure::Incomplete, "core: can't be written",
              [&] { file.write(~std::uint64_t{0} >> 1, std::string_view("too far")); });
}

}  // namespace photon_dmesg::test
