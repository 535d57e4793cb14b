#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace photon_dmesg {

// Bytes to be read into, megabytes of them. Unlike those of a vector they are not filled with zeros
// first, and they stand on large pages where the system has such: to be handed small ones takes as
// long as to read what comes on them.
class LargeBuffer {
 public:
  LargeBuffer() = default;
  // Throws std::bad_alloc.
  explicit LargeBuffer(std::size_t size);

  // Of no certain value until they are written to.
  [[nodiscard]] std::span<std::byte> bytes() { return {bytes_.get(), size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };

  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
};

}  // namespace photon_dmesg
