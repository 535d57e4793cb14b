#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
    // The same, but of several names of one content (hard links, and files that are alike) the
    // first one's.
    std::string content;
  };

  // Lists the files of the image at `path`. Throws Error(UnusableInput) when it is damaged.
  explicit IsoImage(std::filesystem::path path);

  // The same of an image that comes as a stream: calls `visit` for every regular file, in the order
  // of their contents on the medium, with a stream of the content that need not be read and is gone
  // when `visit` returns. Of several names of one content only the first comes. Stops when `visit`
  // returns false.
  static void for_each_file(
      ByteStream& stream, const std::function<bool(const File& file, ByteStream& content)>& visit);

  // Every regular file, in the order of their contents on the medium.
  [[nodiscard]] const std::vector<File>& files() const { return files_; }

  // Why a part of the image is not listed, such as a folder that lies before the one it is in;
  // empty: all is.
  [[nodiscard]] const std::string& unlisted() const { return unlisted_; }

  // The content of `file`. Throws Error(UnusableInput), here or from the stream, on damage.
  [[nodiscard]] std::unique_ptr<ByteStream> open(const File& file) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::vector<File> files_;
  std::string unlisted_;
};

}  // namespace photon_dmesg
