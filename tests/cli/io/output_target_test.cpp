#include "cli/io/output_target.h"

#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/temporary_folder.h"

namespace photon_dmesg::test {

namespace fs = std::filesystem;

TEST_CASE("output target: a file is itself, whether it exists or not") {
  const TemporaryFolder folder;
  for (const auto& path : {folder.path() / "new", folder.write("old", "")}) {
    const OutputTarget target = find_output_target(path);
    CHECK(target.path == fs::canonical(folder.path()) / path.filename());
    CHECK(target.names == std::vector<std::string>{path.filename()});
    CHECK_FALSE(target.descriptor);
    CHECK_FALSE(target.is_special);
  }
}

TEST_CASE("output target: a link is what it leads to, and every name on the way counts") {
  const TemporaryFolder folder;
  folder.write("store", "");
  fs::create_directory(folder.path() / "sub");
  fs::create_symlink("../store", folder.path() / "sub" / "vm.vmem");
  fs::create_symlink("sub/vm.vmem", folder.path() / "log.txt");
  fs::create_directory_symlink(folder.path(), folder.path() / "here");
  const OutputTarget target = find_output_target(folder.path() / "here" / "log.txt");
  CHECK(target.named == folder.path() / "here" / "log.txt");
  CHECK(target.path == fs::canonical(folder.path()) / "store");
  CHECK(target.names == std::vector<std::string>{"log.txt", "vm.vmem", "store"});
}

TEST_CASE("output target: a link that leads nowhere is the file that it would be") {
  const TemporaryFolder folder;
  fs::create_symlink("absent", folder.path() / "link");
  CHECK(find_output_target(folder.path() / "link").path == fs::canonical(folder.path()) / "absent");
  fs::create_symlink("loop", folder.path() / "loop");
  CHECK(find_output_target(folder.path() / "loop").path == fs::canonical(folder.path()) / "loop");
}

TEST_CASE("output target: stdout by each of its names is a descriptor") {
  for (const char* name : {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    CHECK(find_output_target(name).descriptor == STDOUT_FILENO);
  }
  CHECK(find_output_target("-").named == "the output");
  CHECK(find_output_target("/dev/stderr").descriptor == STDERR_FILENO);
}

TEST_CASE("output target: a device is one, and so is what leads to it") {
  const TemporaryFolder folder;
  fs::create_symlink("/dev/null", folder.path() / "link");
  CHECK(find_output_target("/dev/null").is_special);
  CHECK(find_output_target(folder.path() / "link").path == "/dev/null");
  CHECK(find_output_target(folder.path() / "link").is_special);
}

}  // namespace photon_dmesg::test
