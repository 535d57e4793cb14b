#pragma once

#include <filesystem>
#include <vector>

#include "base/expandable_file.h"
#include "base/input_file.h"

namespace photon_dmesg {

// A file of the user's, read block by block where it is asked for. Unlike one that is mapped, it
// may shrink meanwhile: that is an Error, and what has been read stays.
class ExpandedFile final : public ExpandableFile {
 public:
  // Throws Error(UnusableInput) when `path` can't be read, or if there is no address space for it.
  explicit ExpandedFile(const std::filesystem::path& path);
  ~ExpandedFile() override;

  std::span<const std::byte> expand(FileRange range) override;
  [[nodiscard]] std::span<std::byte> bytes() const override { return bytes_; }

 private:
  InputFile file_;
  std::span<std::byte> bytes_;
  std::vector<bool> has_block_;
};

}  // namespace photon_dmesg
