#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace photon_dmesg {

// A part of a file, in bytes.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A file as a library wants it, all of its bytes side by side in memory, of which only what is
// asked for is there. A part that has been expanded costs memory from then on; the rest of bytes()
// reads as zeros and costs address space only.
class ExpandableFile {
 public:
  ExpandableFile() = default;
  virtual ~ExpandableFile() = default;
  ExpandableFile(const ExpandableFile&) = delete;
  ExpandableFile& operator=(const ExpandableFile&) = delete;

  // Makes `range` readable at its place in bytes() and returns it. Throws Error(UnusableInput) when
  // it leaves the file or can't be read.
  virtual std::span<const std::byte> expand(FileRange range) = 0;

  [[nodiscard]] virtual std::span<std::byte> bytes() const = 0;
};

}  // namespace photon_dmesg
