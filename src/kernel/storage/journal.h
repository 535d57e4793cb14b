#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// What a journal writes to the disk as one: struct transaction_s of jbd2.
struct Transaction {
  GuestVirtual address;
  std::optional<std::uint32_t> number;    // t_tid
  std::optional<std::string_view> state;  // "running", "locked", "flush": see jbd2's t_state
  // Who has begun to write and has not come to the end: as long as there is one, it can't be
  // committed.
  std::optional<std::int32_t> handles;
  // Since it was begun, by jiffies; a second has HZ of them.
  std::optional<std::uint64_t> age_jiffies;
};

// The journal of an ext4 file system, as jbd2 keeps it. What is not known is absent.
struct Journal {
  GuestVirtual address;               // of its journal_s
  std::optional<std::int32_t> error;  // j_errno, a negative number of errno(3); 0: none
  std::optional<bool> is_aborted;     // it writes nothing any more
  // The one that is written to; also while it is locked, which it is until all handles are gone.
  std::optional<Transaction> running;
  std::optional<Transaction> committing;  // that goes to the disk
};

[[nodiscard]] Journal read_journal(const GuestKernel& kernel, const KernelTypes& types,
                                   GuestVirtual journal);

}  // namespace photon_dmesg
