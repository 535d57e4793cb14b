#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/file_tree.h"

namespace photon_dmesg {

// What the host logs of a VM, vmware.log: lines such as
//   2026-11-25T02:10:01.000Z In(05) vcpu-0 - Guest: TEXT                (ESXi 7 and later)
//   2026-11-25T02:10:01.000Z In(05) vcpu-0 vim-cmd-09-a45d Guest: TEXT  (during an operation)
//   2026-11-25T02:10:01.000Z In(05) vcpu-0 Guest: TEXT                  (Workstation 17)
//   2026-11-25T02:10:01.000Z| vcpu-0| I125: Guest: TEXT                 (before)
// A text of several lines goes on in lines that have a '+' behind "In(05)" or "I125". Times are
// UTC ("Z"), have their own zone ("-07:00"), or are the host's local time. The form is known from
// published logs; lines of another form are passed over.

// A line that the guest sent.
struct HostLogLine {
  std::string time;                       // as the host wrote it
  std::optional<std::int64_t> time_nsec;  // since 1970, UTC; nothing if the host's zone is not told
  std::string thread;                     // of the host that wrote it: "vcpu-0"
  std::string text;                       // what the guest sent, without "Guest: "
};

// Whether `file` begins as such a log.
[[nodiscard]] bool is_host_log(const ByteSource& file);

// When the log begins, as the host wrote it; empty if it begins with no time.
[[nodiscard]] std::string begin_of_host_log(const ByteSource& file);

// Whether all of a log is read: of one that is longer than any sound host's only the end is, where
// the newest lines are.
[[nodiscard]] bool is_read_whole(const ByteSource& file);

// How much of what a guest sent is kept, of all its logs together.
struct HostLogRoom {
  std::size_t lines =
      std::size_t{256} * 1024;  // some logs of the longest that Photon keeps (4 MiB)
  std::size_t bytes = std::size_t{64} * 1024 * 1024;  // of text
  bool was_too_small = false;
};

// What the guest sent, oldest first: when it panics, or survives an oops, Photon's kernels send
// their log (their patch "vmware: Log kmsg dump on panic"), each line with "<level>[time]" before
// it. Firmware and VMware's Tools send lines too, without that. The newest that `room` has place
// for, which it has less of then.
[[nodiscard]] std::vector<HostLogLine> lines_of_guest(const ByteSource& file, HostLogRoom& room);

// Whether there are any, or may be in what is not read.
[[nodiscard]] bool has_lines_of_guest(const ByteSource& file);

// Whether a vmware.log beside `checkpoint`, in `tree`, says that the memory of a snapshot was still
// being written: since "MainMem: Begin lazy IO", no "Completed pending lazy checkpoint save" has
// come.
[[nodiscard]] bool is_snapshot_pending(const FileTree& tree,
                                       const std::filesystem::path& checkpoint);

}  // namespace photon_dmesg
