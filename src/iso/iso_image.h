#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// Whether `source` has an ISO 9660 volume descriptor (ECMA-119, 8.1: "CD001" at 0x8001).
[[nodiscard]] bool is_iso_image(const ByteSource& source);

// An ISO 9660 image, read without mounting it.
class IsoImage {
 public:
  struct File {
    std::string path;        // inside the ISO
    std::uint64_t size = 0;  // bytes
  };

  // Lists the files of the image at `path`. Throws Error(UnusableInput) when it is damaged.
  explicit IsoImage(std::filesystem::path path);

  // Every regular file, in the order of their contents on the medium.
  [[nodiscard]] const std::vector<File>& files() const { return files_; }

  // The content of `file`. Throws Error(UnusableInput), here or from the stream, on damage.
  [[nodiscard]] std::unique_ptr<ByteStream> open(const File& file) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::vector<File> files_;
};

}  // namespace photon_dmesg
