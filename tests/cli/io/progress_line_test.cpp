#include "cli/io/progress_line.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t mib = 1024 * 1024;

// What is shown of work, at times of a clock that the test moves.
class Line {
 public:
  std::string at(int milliseconds_since_begin, const Progress& progress) {
    return line_.update(progress, begin_ + milliseconds(milliseconds_since_begin));
  }

 private:
  ProgressLine line_;
  ProgressLine::Clock::time_point begin_{};
};

}  // namespace

TEST_CASE("progress: how much of how much, how fast, and how long it will still take") {
  Line line;
  CHECK(line.at(0, {"reading vmlinux", 20 * mib, 320 * mib}) == "reading vmlinux: 20 of 320 MiB");
  CHECK(line.at(400, {"reading vmlinux", 60 * mib, 320 * mib}) == "reading vmlinux: 60 of 320 MiB");
  CHECK(line.at(1000, {"reading vmlinux", 120 * mib, 320 * mib}) ==
        "reading vmlinux: 120 of 320 MiB, 100 MiB/s, 2 s left");
  CHECK(line.at(3000, {"reading vmlinux", 320 * mib, 320 * mib}) ==
        "reading vmlinux: 320 of 320 MiB, 100 MiB/s");
  CHECK(line.at(3000, {"writing the memory", 0, mib}) == "writing the memory: 0 of 1 MiB");
}

TEST_CASE("progress: long work is told in minutes") {
  Line line;
  (void)line.at(0, {"writing", 0, 1000 * mib});
  CHECK(line.at(10'000, {"writing", 20 * mib, 1000 * mib}) ==
        "writing: 20 of 1000 MiB, 2 MiB/s, 9 min left");
}

TEST_CASE("progress: without a size there is a rate, without an amount the time that has passed") {
  Line line;
  (void)line.at(0, {"reading the ISO", 0, 0});
  CHECK(line.at(2000, {"reading the ISO", 80 * mib, 0}) == "reading the ISO: 80 MiB, 40 MiB/s");
  (void)line.at(3000, {"waiting for another run"});
  CHECK(line.at(15'000, {"waiting for another run"}) == "waiting for another run: 12 s");
}

TEST_CASE("progress: work that begins again under its name is timed anew") {
  Line line;
  (void)line.at(0, {"reading a package", 50 * mib, 0});
  CHECK(line.at(1000, {"reading a package", 10 * mib, 100 * mib}) ==
        "reading a package: 10 of 100 MiB");
  CHECK(line.at(2000, {"reading a package", 30 * mib, 100 * mib}) ==
        "reading a package: 30 of 100 MiB, 20 MiB/s, 4 s left");
}

TEST_CASE("progress: no control byte of a file's name reaches a terminal") {
  Line line;
  CHECK(line.at(0, {"unpacking \x1b[31m", 0, mib}) == "unpacking \\x1b[31m: 0 of 1 MiB");
}

}  // namespace photon_dmesg::test
