#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/byte_source.h"

namespace photon_dmesg {

// What the host logs of a VM, vmware.log: lines such as
//   2026-11-25T02:10:01.000Z In(05) vcpu-0 - Guest: TEXT     (ESXi 7 and later)
//   2026-11-25T02:10:01.000Z| vcpu-0| I125: Guest: TEXT      (before)
// Their form is known from published logs; lines of another form are passed over.

// Whether `file` begins as such a log.
[[nodiscard]] bool is_host_log(const ByteSource& file);

// What the guest sent, a line each, oldest first: when it panics, Photon's kernels send their log
// (their patch "vmware: Log kmsg dump on panic"), each line with "<level>[time]" before it.
[[nodiscard]] std::vector<std::string> lines_of_guest(const ByteSource& file);

// Whether a vmware.log beside `checkpoint` says that the memory of a snapshot was still being
// written: since "MainMem: Begin lazy IO", no "Completed pending lazy checkpoint save" has come.
[[nodiscard]] bool is_snapshot_pending(const std::filesystem::path& checkpoint);

}  // namespace photon_dmesg
