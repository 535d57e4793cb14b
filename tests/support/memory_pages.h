#pragma once

#include <optional>
#include <string>

#include "checkpoint/guest/guest_memory.h"
#include "support/bytes.h"

namespace photon_dmesg::test {

constexpr std::uint64_t page = 4096;

// A memory image in which each page begins with its number.
inline std::string numbered_pages(std::size_t count) {
  std::string memory;
  for (std::size_t i = 0; i < count; ++i) {
    memory += little_endian(i, 8) + std::string(page - 8, static_cast<char>('a' + i % 26));
  }
  return memory;
}

// The number of the image page that guest-physical `address` leads to.
inline std::optional<std::uint64_t> page_at(const GuestMemory& memory, std::uint64_t address) {
  std::uint64_t number = 0;
  const bool read = memory.read({address}, std::as_writable_bytes(std::span(&number, 1)));
  return read ? std::optional(number) : std::nullopt;
}

}  // namespace photon_dmesg::test
