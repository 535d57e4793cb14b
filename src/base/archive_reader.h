#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/byte_stream.h"

struct archive;
struct archive_entry;

namespace photon_dmesg {

// A container read through libarchive, member by member, forwards only. Nothing is written to disk.
class ArchiveReader {
 public:
  // An ISO 9660 image (Rock Ridge names where it has them). Bodies that are not read are seeked
  // over.
  [[nodiscard]] static ArchiveReader open_iso(const std::filesystem::path& path);

  // A cpio archive behind the named compressor: "none", "gzip", "bzip2", "xz", "lzma" or "zstd", as
  // RPM's PAYLOADCOMPRESSOR tag names them. `stream` must outlive the reader. Throws
  // Error(UnusableInput) for another compressor.
  [[nodiscard]] static ArchiveReader open_cpio(ByteStream& stream, const std::string& compressor);

  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  struct Member {
    std::string path;  // as stored
    std::uint64_t size = 0;
    bool regular_file = false;
  };

  // Goes to the next member; nothing at the end. Throws Error(UnusableInput) on damage.
  [[nodiscard]] std::optional<Member> next_member();

  // The next bytes of the current member; empty at its end. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> next_data();

 private:
  struct Source;
  struct Close {
    void operator()(archive* handle) const;
  };

  ArchiveReader();
  [[noreturn]] void fail(const char* doing) const;
  void require(int result, const char* doing) const;

  std::unique_ptr<Source> source_;  // outlives handle_, which reads from it
  std::unique_ptr<archive, Close> handle_;
  std::uint64_t data_position_ = 0;  // in the current member
};

}  // namespace photon_dmesg
