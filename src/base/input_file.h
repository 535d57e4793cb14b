#pragma once

#include <filesystem>
#include <memory>

#include "base/byte_source.h"

namespace photon_dmesg {

// A regular file or block device opened for reading. Small reads go through a cache of pages, large
// ones straight to their target; the file is never mapped, so that an I/O error or a file that
// shrinks is an Error and not a signal. Several threads may read at once. It is one of read_files
// from then on: no OutputFile takes its place.
class InputFile final : public ByteSource {
 public:
  // Throws Error(UnusableInput) with the system's reason when `path` can't be read.
  explicit InputFile(std::filesystem::path path);
  ~InputFile() override;

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::optional<int> descriptor() const override { return descriptor_; }
  [[nodiscard]] std::uint64_t next_data(std::uint64_t offset) const override;
  [[nodiscard]] std::uint64_t data_end(std::uint64_t offset) const override;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  struct Cache;

  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override;
  void read_from_disk(std::uint64_t offset, std::span<std::byte> target) const;

  std::filesystem::path path_;
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::unique_ptr<Cache> cache_;
};

}  // namespace photon_dmesg
