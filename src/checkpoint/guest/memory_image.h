#pragma once

#include <memory>

#include "base/byte_source.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/memory_layout.h"
#include "checkpoint/guest/unreadable_memory.h"

namespace photon_dmesg {

// GuestMemory over the flat image in a .vmem file or in a checkpoint's Memory block.
class MemoryImage final : public GuestMemory {
 public:
  // `source` holds the image from `base` on and must outlive this object. The caller has checked
  // that the image is as long as `layout` says.
  MemoryImage(const ByteSource& source, std::uint64_t base, MemoryLayout layout)
      : source_(source), base_(base), layout_(std::move(layout)) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override;
  [[nodiscard]] std::optional<FilePlace> find_in_file(GuestPhysical address) const override;
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return layout_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return source_.name(); }
  [[nodiscard]] std::optional<std::string> unreadable() const override {
    return unreadable_.describe();
  }

 private:
  [[nodiscard]] bool read_from_source(GuestPhysical address, std::span<std::byte> target) const;

  const ByteSource& source_;
  std::uint64_t base_;
  MemoryLayout layout_;
  UnreadableMemory unreadable_;
};

}  // namespace photon_dmesg
