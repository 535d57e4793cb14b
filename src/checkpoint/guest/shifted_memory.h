#pragma once

#include <memory>
#include <vector>

#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

// Memory that lies elsewhere than `memory` has it: all of it higher by the same distance.
class ShiftedMemory final : public GuestMemory {
 public:
  // `shift` is a number of bytes, modulo 2^64, by which no range leaves the address space.
  ShiftedMemory(std::shared_ptr<const GuestMemory> memory, std::uint64_t shift);

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override;
  [[nodiscard]] std::optional<FilePlace> find_in_file(GuestPhysical address) const override;
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override { return ranges_; }
  [[nodiscard]] const std::string& name() const override { return memory_->name(); }
  [[nodiscard]] std::optional<std::string> unreadable() const override {
    return memory_->unreadable();
  }

 private:
  std::shared_ptr<const GuestMemory> memory_;
  std::uint64_t shift_;
  std::vector<PhysicalRange> ranges_;
};

}  // namespace photon_dmesg
