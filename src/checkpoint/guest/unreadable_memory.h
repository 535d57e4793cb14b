#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/error.h"

namespace photon_dmesg {

// Which pages of a guest's memory are in its file and can't be read all the same: a bad block of
// the disk, a page that can't be unpacked. They count as missing, so that they cost what is on them
// and nothing else. For several threads at once.
class UnreadableMemory {
 public:
  // What GuestMemory::read() returns, by a `read` that does the same and throws an Error where
  // bytes that are there can't be read: the pages that they are on are noted, and false is
  // returned.
  template <typename Read>
  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target,
                          const Read& read) const {
    if (any_ && is_noted(address, target.size())) return false;
    try {
      return read(address, target);
    } catch (const Error&) {
      note(address, target, read);
      return false;
    }
  }

  // Where and why memory could not be read so far, as a phrase; nothing if all of it could.
  [[nodiscard]] std::optional<std::string> describe() const;

 private:
  using ReadPart = std::function<bool(GuestPhysical, std::span<std::byte>)>;

  [[nodiscard]] bool is_noted(GuestPhysical address, std::uint64_t size) const;
  void note(GuestPhysical address, std::span<std::byte> target, const ReadPart& read) const;

  mutable std::atomic<bool> any_ = false;
  mutable std::mutex mutex_;
  mutable std::map<std::uint64_t, std::string> pages_;  // by number: why it can't be read
};

}  // namespace photon_dmesg
