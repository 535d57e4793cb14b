#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"

namespace photon_dmesg {

// The kinds of things that a task waits for, by what the kernel calls them.
enum class WaitKind {
  Mutex,
  RtMutex,  // also PREEMPT_RT's spinlocks
  RwSemaphore,
  Semaphore,
  Completion,
  PercpuRwSemaphore,  // a frozen file system
  Page,               // that it is read, written or unlocked
  Bit,                // in a word, as of a buffer that is read or written
  WaitQueue,          // anything else that wakes those who wait for it
};

// As reports call it: "mutex", "rw_semaphore".
[[nodiscard]] std::string_view name_of(WaitKind kind);

// What a task that sleeps waits for.
struct Wait {
  WaitKind kind = WaitKind::WaitQueue;
  GuestVirtual object;              // the lock, completion, page or word
  std::optional<std::string> name;  // of the object, where a symbol or what it belongs to has one
  // The name says by itself what is waited for: "page of inode 13 on dm-0 (ext4)".
  bool name_says_what = false;
  std::optional<GuestVirtual> owner;  // the task_struct of who has the lock
  // False of readers: a semaphore remembers only the last of them, who may have let go since.
  bool owner_is_certain = true;
};

}  // namespace photon_dmesg
