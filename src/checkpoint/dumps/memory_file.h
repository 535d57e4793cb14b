#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/byte_source.h"

namespace photon_dmesg {

// A file in memory only, for libraries that take descriptors. What was not written is zeros, and
// takes no memory. All throw Error(UnusableInput), which names the file, where there is none.
class MemoryFile final : public ByteSource {
 public:
  explicit MemoryFile(std::string name);
  ~MemoryFile() override;

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  // Writes `size` bytes from `from` on of `source` to `to`.
  void copy(const ByteSource& source, std::uint64_t from, std::uint64_t size, std::uint64_t to);
  // Zeros up to there.
  void extend(std::uint64_t size);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::optional<int> descriptor() const override { return descriptor_; }

 private:
  [[noreturn]] void fail() const;
  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override;

  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace photon_dmesg
