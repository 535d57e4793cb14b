#include "session/medium_state.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>

#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::system_clock;

struct Medium {
  TemporaryFolder folder{folder_in_memory};
  fs::path path = folder.path() / "photon.iso";

  Medium() { write("content"); }

  void write(const std::string& content) const { std::ofstream(path) << content; }

  [[nodiscard]] std::optional<MediumState> later(std::chrono::seconds seconds) const {
    return lasting_state(path, system_clock::now() + seconds);
  }
  [[nodiscard]] std::optional<MediumState> state() const { return later(std::chrono::seconds(60)); }
};

}  // namespace

TEST_CASE("medium state: a file that nobody changes stays in its state, by whatever name") {
  const Medium medium;
  const auto state = medium.state();
  REQUIRE(state);
  CHECK(medium.state() == state);
  CHECK(medium.later(std::chrono::hours(24)) == state);
  const fs::path link = medium.folder.path() / "link";
  fs::create_symlink(medium.path, link);
  CHECK(lasting_state(link, system_clock::now() + std::chrono::seconds(60)) == state);
}

TEST_CASE("medium state: a file that was just changed may be changed again unseen") {
  const Medium medium;
  CHECK_FALSE(medium.later(std::chrono::seconds(0)));
  CHECK_FALSE(medium.later(std::chrono::seconds(1)));
  CHECK(medium.later(std::chrono::seconds(10)));
}

TEST_CASE("medium state: what was changed in times to come, by the clock, may be changed again") {
  const Medium medium;
  CHECK_FALSE(medium.later(-std::chrono::hours(1)));
}

TEST_CASE("medium state: other content of the same size and time is another state") {
  const Medium medium;
  struct stat before {};
  REQUIRE(stat(medium.path.c_str(), &before) == 0);
  const auto state = medium.state();
  struct stat after = before;
  // The clock that is noted goes by ticks of some milliseconds.
  while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
         after.st_ctim.tv_nsec == before.st_ctim.tv_nsec) {
    medium.write("CONTENT");
    const std::array times = {before.st_atim, before.st_mtim};
    REQUIRE(utimensat(AT_FDCWD, medium.path.c_str(), times.data(), 0) == 0);
    REQUIRE(stat(medium.path.c_str(), &after) == 0);
  }
  REQUIRE(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
  REQUIRE(after.st_size == before.st_size);
  const auto changed = medium.state();
  REQUIRE(changed);
  CHECK(changed->file == state->file);
  CHECK(changed != state);
}

TEST_CASE("medium state: another file of the same name is another file") {
  const Medium medium;
  const auto state = medium.state();
  const fs::path other = medium.folder.path() / "other";
  std::ofstream(other) << "content";
  fs::rename(other, medium.path);
  const auto replaced = medium.state();
  REQUIRE(replaced);
  CHECK(replaced->file != state->file);
}

TEST_CASE("medium state: what is no regular file, or none at all, has none") {
  const Medium medium;
  const auto later = system_clock::now() + std::chrono::seconds(60);
  CHECK_FALSE(lasting_state(medium.folder.path(), later));
  CHECK_FALSE(lasting_state(medium.folder.path() / "gone", later));
  CHECK_FALSE(lasting_state("/dev/null", later));
  const fs::path pipe = medium.folder.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(lasting_state(pipe, later));
}

TEST_CASE("medium state: a file system that does not note changes by itself is not trusted") {
  // A regular file, of which procfs makes up all that stat(2) says.
  CHECK_FALSE(lasting_state("/proc/version", system_clock::now() + std::chrono::hours(1)));
}

}  // namespace photon_dmesg::test
