#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/archive_source.h"
#include "base/byte_stream.h"
#include "base/input_file.h"
#include "base/libarchive.h"

namespace photon_dmesg {

// An ISO 9660 image read through libarchive, file by file, in the order in which they lie on the
// medium: Rock Ridge names where it has them, or else Joliet's. Nothing is written to disk.
class IsoReader {
 public:
  // An image in a file or on a block device. Contents that are not read are seeked over.
  explicit IsoReader(const std::filesystem::path& path);

  // An image that comes as a stream, which must outlive the reader.
  explicit IsoReader(ByteStream& stream);

  struct Member {
    std::string path;  // as stored
    std::uint64_t size = 0;
    bool regular_file = false;
    // Another name of a file that has come before, which has the content: that one's path. Else
    // empty.
    std::string link_target{};
    // Why nothing but this is known of what stands here: a folder whose files are not listed. Else
    // empty.
    std::string problem{};
  };

  // Goes to the next file or folder; nothing at the end. Throws Error(UnusableInput) on damage.
  [[nodiscard]] std::optional<Member> next_member();

  // The next bytes of the current member, where libarchive has them; empty at its end. Valid until
  // the next call. Several extents come one behind the other.
  [[nodiscard]] std::span<const std::byte> next_data();

 private:
  void open();
  void require(int result, const char* doing) const;

  std::unique_ptr<InputFile> file_;        // null: it comes as a stream
  std::unique_ptr<ArchiveSource> source_;  // outlives handle_, which reads from it
  ArchiveHandle handle_;
  std::uint64_t directory_bytes_left_;
  std::uint64_t data_position_ = 0;  // in the current member
};

}  // namespace photon_dmesg
