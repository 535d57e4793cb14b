#include "kernel/tasks/task_state.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {
namespace {

char letter(const char* release, std::uint32_t state, std::uint32_t exit_state = 0) {
  return state_letter(states_of(release), state, exit_state);
}

constexpr const char* releases[] = {"4.4.0",  "4.9.0-11-amd64", "4.14.54", "4.19.325-1.ph3-esx",
                                    "5.10.0", "5.16.0",         "6.1.10",  "7.3.4"};

}  // namespace

TEST_CASE("task state: what every version has in the same bits") {
  for (const char* release : releases) {
    INFO(release);
    CHECK(letter(release, 0) == 'R');
    CHECK(letter(release, 1) == 'S');
    CHECK(letter(release, 2) == 'D');
    CHECK(letter(release, 4) == 'T');
    CHECK(letter(release, 8) == 't');
    CHECK(letter(release, 0, 0x10) == 'X');
    CHECK(letter(release, 0, 0x20) == 'Z');
    CHECK(letter(release, 0x402) == 'I');
  }
}

TEST_CASE("task state: one that may be killed waits as one that may not") {
  CHECK(letter("4.4.0", 0x82) == 'D');  // TASK_WAKEKILL | TASK_UNINTERRUPTIBLE
  CHECK(letter("4.9.0", 0x82) == 'D');
  CHECK(letter("4.19.0", 0x102) == 'D');  // since 4.14
  CHECK(letter("6.1.0", 0x2102) == 'D');  // with TASK_FREEZABLE
  CHECK(letter("6.1.0", 0x2001) == 'S');
}

TEST_CASE("task state: a thread that is parked, whose bit has moved in 4.14") {
  CHECK(letter("4.4.0", 0x200) == 'P');
  CHECK(letter("4.9.0", 0x200) == 'P');
  CHECK(letter("4.13.16", 0x200) == 'P');
  CHECK(letter("4.14.0", 0x40) == 'P');
  CHECK(letter("6.1.0", 0x40) == 'P');
  CHECK(letter("4.14.0", 0x200) == 'R');  // TASK_WAKING
}

TEST_CASE("task state: one that has exited where only that is known, whose bit has moved too") {
  CHECK(letter("4.4.0", 0x40) == 'Z');
  CHECK(letter("4.9.0", 0x40) == 'Z');
  CHECK(letter("4.14.0", 0x80) == 'Z');
  CHECK(letter("6.1.0", 0x80) == 'Z');
}

TEST_CASE("task state: one that is woken or new runs") {
  CHECK(letter("4.4.0", 0x100) == 'R');
  CHECK(letter("4.9.0", 0x800) == 'R');
  CHECK(letter("4.14.0", 0x200) == 'R');
  CHECK(letter("6.1.0", 0x800) == 'R');
}

TEST_CASE("task state: a spinlock of PREEMPT_RT is waited for as D, since 5.16") {
  CHECK(letter("5.15.0", 0x1000) == 'R');
  CHECK(letter("5.16.0", 0x1000) == 'D');
  CHECK(letter("6.1.0", 0x1000) == 'D');
}

TEST_CASE("task state: a frozen task is D, since 6.1") {
  CHECK(letter("6.0.0", 0x8000) == 'R');
  CHECK(letter("6.1.0", 0x8000) == 'D');
}

TEST_CASE("task state: one that has ended is shown as that, whatever it was doing") {
  for (const char* release : releases) {
    INFO(release);
    CHECK(letter(release, 0x40, 0x20) == 'Z');
    CHECK(letter(release, 0x80, 0x10) == 'X');
    CHECK(letter(release, 0x402, 0x20) == 'Z');
    CHECK(letter(release, 1, 0x30) == 'Z');
  }
}

TEST_CASE("task state: bits that no version knows make no letter up") {
  for (const char* release : releases) {
    INFO(release);
    for (unsigned bit = 0; bit < 32; ++bit) {
      CHECK(std::string_view("RSDTtXZPI").find(letter(release, 1U << bit)) !=
            std::string_view::npos);
    }
    CHECK(letter(release, 0xffffffff) == 'I');
  }
}

TEST_CASE("task state: of a release that can't be read the oldest meaning counts") {
  CHECK(letter("", 0x200) == 'P');
  CHECK(letter("mainline", 2) == 'D');
}

}  // namespace photon_dmesg::test
