#include "base/read_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>

#include "base/mapped_file.h"
#include "base/pipe_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

// Files are dated by a clock that goes by ticks of some milliseconds.
void wait_for_tick() {
  timespec before{};
  REQUIRE(clock_gettime(CLOCK_REALTIME_COARSE, &before) == 0);
  timespec now = before;
  while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec) {
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
  }
}

}  // namespace

TEST_CASE("read files: one that was read is known by each of its names, even when it is closed") {
  const TemporaryFolder folder;
  const auto path = folder.write("vm.vmem", "evidence");
  std::filesystem::create_symlink("vm.vmem", folder.path() / "link");
  std::filesystem::create_hard_link(path, folder.path() / "hard");
  CHECK_FALSE(read_files::contains(path));
  { const InputFile file(path); }
  for (const char* name : {"vm.vmem", "link", "hard", "./vm.vmem"}) {
    CHECK(read_files::contains(folder.path() / name));
  }
  CHECK_FALSE(read_files::contains(folder.path()));
  CHECK_FALSE(read_files::contains(folder.path() / "absent"));
}

TEST_CASE("read files: what was not read is not among them, whatever it holds") {
  const TemporaryFolder folder;
  { const InputFile file(folder.write("read", "content")); }
  CHECK_FALSE(read_files::contains(folder.write("other", "content")));
}

TEST_CASE("read files: a new file with the inode of one that was read is another file") {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) {
    const auto path = folder.write("file", "content");
    CHECK_FALSE(read_files::contains(path));
    { const InputFile file(path); }
    CHECK(read_files::contains(path));
    std::filesystem::remove(path);
    wait_for_tick();
  }
}

TEST_CASE("read files: a file behind stdin is one, what is kept of packages is none") {
  const TemporaryFolder folder;
  const auto path = folder.write("photon.iso", "content");
  { const MappedFile kept(path); }
  CHECK_FALSE(read_files::contains(path));
  const int saved = ::dup(STDIN_FILENO);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::dup2(file, STDIN_FILENO) == STDIN_FILENO);
  { const PipeStream standard_input("-"); }
  CHECK(read_files::contains(path));
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ::close(file);
}

}  // namespace photon_dmesg::test
