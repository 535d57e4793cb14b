#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/byte_stream.h"

namespace photon_dmesg {

// Whether `path` can only be read once, from its beginning: a pipe, a socket, or "-", standard
// input.
[[nodiscard]] bool is_pipe(const std::filesystem::path& path);

// Such a file.
class PipeStream final : public ByteStream {
 public:
  // Throws Error(UnusableInput) with the system's reason when it can't be opened.
  explicit PipeStream(const std::filesystem::path& path);
  ~PipeStream() override;

  // The first `count` bytes, fewer if there are no more; next() gives them again. To be called
  // before next().
  [[nodiscard]] std::span<const std::byte> peek(std::size_t count);

  // Throws Error(UnusableInput) with the system's reason when reading fails.
  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::size_t read(std::span<std::byte> target);

  std::string name_;
  int descriptor_ = -1;
  std::vector<std::byte> first_;
  bool first_pending_ = false;
  std::vector<std::byte> buffer_;
};

}  // namespace photon_dmesg
