#include "checkpoint/vmware/host_log.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

std::vector<HostLogLine> lines_of(const std::string& log, HostLogRoom room = {}) {
  return lines_of_guest(BufferSource("vmware.log", as_bytes(log)), room);
}

}  // namespace

TEST_CASE("vmware.log: what the guest sent, in the form of old and new hosts") {
  const std::string log =
      "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
      "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] Kernel panic: it was\r\n"
      "2026-11-25T02:10:03.250Z| vcpu-1| I125: Guest: <4>[   20.000100] CPU: 1\n"
      "2026-11-25T02:10:04.000Z In(05) vmx - Guest: of the host's own\n"
      "no time Guest: vcpu-0\n"
      "2026-11-25T02:10:04.500Z In(05) vcpu-0 - of vcpu-0, not Guest: a guest's\n"
      "2026-11-25T02:10:05.000Z In(05) vcpu-0 - Gue";
  const BufferSource file("vmware.log", as_bytes(log));
  CHECK(is_host_log(file));
  CHECK(begin_of_host_log(file) == "2026-11-25T02:10:01.000Z");
  const std::vector<HostLogLine> lines = lines_of(log);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text == "<0>[   20.000000] Kernel panic: it was");
  CHECK(lines[0].time == "2026-11-25T02:10:02.000Z");
  CHECK(lines[0].time_nsec == 1795572602000000000);
  CHECK(lines[0].thread == "vcpu-0");
  CHECK(lines[1].text == "<4>[   20.000100] CPU: 1");
  CHECK(lines[1].time_nsec == 1795572603250000000);
  CHECK(lines[1].thread == "vcpu-1");
}

TEST_CASE("vmware.log: a text of several lines goes on where its sender does") {
  const std::string log =
      "2026-11-25T02:10:02Z In(05) vcpu-0 - Guest: <6>[    1.000000] first\n"
      "2026-11-25T02:10:02Z In(05)+ vcpu-0 - <6>[    1.000000] second\n"
      "2026-11-25T02:10:02Z In(05)+ vcpu-1 - of another\n"
      "2026-11-25T02:10:02Z In(05)+ vcpu-0 - behind another\n"
      "2026-11-25T02:10:03Z| vcpu-0| I125: Guest: old\n"
      "2026-11-25T02:10:03Z| vcpu-0| I125+ goes on\n"
      "2026-11-25T02:10:03Z| vcpu-0| I125: no more\n";
  std::vector<std::string> texts;
  for (const HostLogLine& line : lines_of(log)) {
    texts.push_back(line.text);
  }
  CHECK(texts == std::vector<std::string>{"<6>[    1.000000] first", "<6>[    1.000000] second",
                                          "old", "goes on"});
}

TEST_CASE("vmware.log: what the guest sent, whatever the host writes behind the thread") {
  const auto sent_with = [](const std::string& operation) {
    const std::string host = "2026-11-25T02:10:02Z In(05) vcpu-0 " + operation;
    const std::string goes_on = "2026-11-25T02:10:02Z In(05)+ vcpu-0 " + operation;
    std::vector<std::string> texts;
    for (const HostLogLine& line : lines_of(
             host + "Guest: <6>[    1.000000] first\n" + goes_on + "<6>[    1.000000] - second\n" +
             goes_on + "Guest: third\n" + host + "of the host's own\n" + goes_on +
             "Guest: of the host's own\n" + host + "MainMem: Guest: of the host's own\n")) {
      CHECK(line.thread == "vcpu-0");
      texts.push_back(line.text);
    }
    return texts;
  };
  const std::vector<std::string> expected = {"<6>[    1.000000] first",
                                             "<6>[    1.000000] - second", "Guest: third"};
  CHECK(sent_with("- ") == expected);
  CHECK(sent_with("vim-cmd-09-a45d ") == expected);
  CHECK(sent_with("lnx6ehce-42910-auto-x40-h5:70004075-b2-a9-003a ") == expected);
  CHECK(sent_with("") == expected);
}

TEST_CASE("vmware.log: of Workstation, too, a log is known by its beginning") {
  const std::string log =
      "2026-10-08T13:54:39.211Z In(05) vmx Log for VMware Workstation pid=27348 version=17.6.3\n";
  CHECK(is_host_log(BufferSource("vmware.log", as_bytes(log))));
}

TEST_CASE("vmware.log: of a very long one the end is read, and the rest may have more") {
  const std::string guests = "2026-11-25T02:10:02Z In(05) vcpu-0 - Guest: text\n";
  const std::string hosts = "2026-11-25T02:10:03Z In(05) vmx - of the host's own\n";
  std::string log = guests;
  while (log.size() <= std::size_t{64} * 1024 * 1024) log += hosts;
  const BufferSource file("vmware.log", as_bytes(log));
  HostLogRoom room;
  CHECK_FALSE(is_read_whole(file));
  CHECK(lines_of_guest(file, room).empty());
  CHECK(has_lines_of_guest(file));
  const BufferSource short_file("vmware.log", as_bytes(hosts));
  CHECK(is_read_whole(short_file));
  CHECK_FALSE(has_lines_of_guest(short_file));
}

TEST_CASE("vmware.log: times are what the host says, and points in time where it tells its zone") {
  const auto time_of = [](const std::string& time) {
    const std::string log = time + "| vcpu-0| I125: Guest: text\n";
    const auto lines = lines_of(log);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].time == time);
    return lines[0].time_nsec;
  };
  CHECK(time_of("1970-01-01T00:00:01Z") == 1000000000);
  CHECK(time_of("2016-08-30T16:02:43.220-07:00") == 1472598163220000000);
  CHECK(time_of("2016-08-31T01:02:43.220123456+0200") == 1472598163220123456);
  CHECK(time_of("2016-08-30T16:02:43.220") == std::nullopt);
  CHECK(time_of("2016-13-30T16:02:43Z") == std::nullopt);
  // What nanoseconds since 1970 don't reach.
  CHECK(time_of("9999-01-30T16:02:43Z") == std::nullopt);
  CHECK(time_of("0431-01-30T16:02:43Z") == std::nullopt);
}

TEST_CASE("vmware.log: of more than there is room for the newest, and that is noticed") {
  std::string log;
  for (const char* text : {"one", "two", "three", "four"}) {
    log += std::string("2026-11-25T02:10:02Z In(05) vcpu-0 - Guest: ") + text + '\n';
  }
  const BufferSource file("vmware.log", as_bytes(log));
  HostLogRoom all{4, 15};
  CHECK(lines_of_guest(file, all).size() == 4);
  CHECK_FALSE(all.was_too_small);
  // Another log has what this one leaves.
  CHECK(all.lines == 0);
  CHECK(all.bytes == 0);
  CHECK(lines_of_guest(file, all).empty());
  CHECK(all.was_too_small);
  for (HostLogRoom room : {HostLogRoom{2, 100}, HostLogRoom{100, 9}}) {
    const auto lines = lines_of_guest(file, room);
    REQUIRE(lines.size() == 2);
    CHECK(lines.front().text == "three");
    CHECK(lines.back().text == "four");
    CHECK(room.was_too_small);
  }
}

TEST_CASE("vmware.log: other texts are none") {
  for (const std::string text : {"", "\n", "Dear support,\n", "2026-11-25T02:10:01 something\n"}) {
    CAPTURE(text);
    CHECK_FALSE(is_host_log(BufferSource("text", as_bytes(text))));
  }
}

TEST_CASE("vmware.log: whether a snapshot's memory was still being written") {
  const TemporaryFolder vm;
  const auto checkpoint = vm.path() / "vm-Snapshot1.vmsn";
  const std::string begin =
      "2026-11-25T02:10:01Z| vmx| I125: MainMem: Begin lazy IO (1048576 pages)\n";
  const std::string end =
      "2026-11-25T02:15:01Z| vmx| I125: MainMem: Completed pending lazy checkpoint save.\n";
  CHECK_FALSE(is_snapshot_pending(disk_tree(), checkpoint));
  vm.write("vmware.log", begin);
  CHECK(is_snapshot_pending(disk_tree(), checkpoint));
  vm.write("vmware.log", begin + end);
  CHECK_FALSE(is_snapshot_pending(disk_tree(), checkpoint));
  vm.write("vmware.log", begin + end + begin);
  CHECK(is_snapshot_pending(disk_tree(), checkpoint));
}

}  // namespace photon_dmesg::test
