#include "checkpoint/vmware/host_log.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

TEST_CASE("vmware.log: what the guest sent, in the form of old and new hosts") {
  const std::string log =
      "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
      "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] Kernel panic: it was\r\n"
      "2026-11-25T02:10:03.000Z| vcpu-1| I125: Guest: <4>[   20.000100] CPU: 1\n"
      "2026-11-25T02:10:04.000Z In(05) vmx - Guest: of the host's own\n"
      "no time Guest: vcpu-0\n"
      "2026-11-25T02:10:05.000Z In(05) vcpu-0 - Gue";
  const BufferSource file("vmware.log", as_bytes(log));
  CHECK(is_host_log(file));
  CHECK(lines_of_guest(file) == std::vector<std::string>{"<0>[   20.000000] Kernel panic: it was",
                                                         "<4>[   20.000100] CPU: 1"});
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
  CHECK_FALSE(is_snapshot_pending(checkpoint));
  vm.write("vmware.log", begin);
  CHECK(is_snapshot_pending(checkpoint));
  vm.write("vmware.log", begin + end);
  CHECK_FALSE(is_snapshot_pending(checkpoint));
  vm.write("vmware.log", begin + end + begin);
  CHECK(is_snapshot_pending(checkpoint));
}

}  // namespace photon_dmesg::test
