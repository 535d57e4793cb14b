#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/byte_source.h"

namespace photon_dmesg {

// A range of guest-physical addresses that is RAM.
struct PhysicalRange {
  GuestPhysical begin;
  std::uint64_t size = 0;  // bytes
};

// The guest's RAM by guest-physical address, whatever file holds it. The border between the
// checkpoint formats and the kernel: nothing above knows where the bytes come from, and tests hand
// in memory of their own.
class GuestMemory {
 public:
  GuestMemory() = default;
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  virtual ~GuestMemory() = default;

  // Fills `target` from `address`. False, with `target` in an undefined state, if any byte of it is
  // not RAM: a hole is never some other memory. What the file should have and can't be read is no
  // RAM either, and unreadable(). Several threads may read at once.
  [[nodiscard]] virtual bool read(GuestPhysical address, std::span<std::byte> target) const = 0;

  // Bytes of RAM as they stand in a file.
  struct FilePlace {
    const ByteSource* file = nullptr;  // owned by this object or what it was made from
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // how far they go on in the same way
  };

  // Where in a file the byte at `address` stands; nothing if it is not RAM or in no file as it is.
  [[nodiscard]] virtual std::optional<FilePlace> find_in_file(GuestPhysical /*address*/) const {
    return std::nullopt;
  }

  // All RAM, ascending and disjoint.
  [[nodiscard]] virtual const std::vector<PhysicalRange>& ranges() const = 0;

  // The file that holds the memory, for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // Where and why memory that should be there could not be read so far, as a phrase; nothing if all
  // could. Whoever shows what was read of it should say so.
  [[nodiscard]] virtual std::optional<std::string> unreadable() const { return std::nullopt; }

  // Bytes of RAM.
  [[nodiscard]] std::uint64_t size() const;
};

}  // namespace photon_dmesg
