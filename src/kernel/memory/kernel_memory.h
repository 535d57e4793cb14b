#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

// The guest's memory by kernel-virtual address. Remembers recent translations; not for use by
// several threads at once.
class KernelMemory {
 public:
  // `memory` must outlive this object.
  KernelMemory(const GuestMemory& memory, PageTables tables) : memory_(&memory), tables_(tables) {}

  // Fills `target` from `address`. False, with `target` in an undefined state, if any byte of it is
  // not mapped or not in RAM.
  [[nodiscard]] bool read(GuestVirtual address, std::span<std::byte> target) const;

  // The text at `address`, up to its NUL or to `most` bytes; nothing unless all `most` can be read.
  // A kernel has no longer ones than `longest_text`: `most` counts as that where it is more.
  static constexpr std::size_t longest_text = 64 * 1024;
  [[nodiscard]] std::optional<std::string> read_text(GuestVirtual address, std::size_t most) const;

  // The little-endian number of `width` bytes (1 to 8) at `address`.
  [[nodiscard]] std::optional<std::uint64_t> read_unsigned(GuestVirtual address,
                                                           std::size_t width) const;

  // Where `address` lies in guest-physical memory.
  [[nodiscard]] std::optional<GuestPhysical> translate(GuestVirtual address) const;

  // Bytes of RAM that the guest has: nothing in it takes more.
  [[nodiscard]] std::uint64_t ram_size() const { return memory_->size(); }

  [[nodiscard]] const PageTables& tables() const { return tables_; }

 private:
  static constexpr std::size_t translation_slots = 64;

  // Where what begins at an address lies in RAM, and how far it goes on there.
  struct Run {
    GuestPhysical begin;
    std::uint64_t size = 0;  // bytes
  };

  [[nodiscard]] std::optional<Run> page_rest(GuestVirtual address) const;
  [[nodiscard]] std::optional<Run> find_run(GuestVirtual address, std::uint64_t most) const;

  const GuestMemory* memory_;
  PageTables tables_;
  mutable std::array<std::optional<PageTables::Page>, translation_slots> translations_;
};

}  // namespace photon_dmesg
