#pragma once

#include <archive.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// What libarchive reads an archive from, as callbacks want it. An Error must not pass through
// libarchive's C frames: it waits here until they have returned. What it is made from must outlive
// it, and it the handle that it has opened.
class ArchiveSource {
 public:
  // Bytes that come once, one behind the other.
  explicit ArchiveSource(ByteStream& stream) : stream_(&stream) {}

  // Bytes at any place.
  explicit ArchiveSource(const ByteSource& source) : source_(&source) {}

  ArchiveSource(const ArchiveSource&) = delete;
  ArchiveSource& operator=(const ArchiveSource&) = delete;

  // Has `handle` read from here. Returns libarchive's result.
  int open(archive* handle);

  // Goes to the next member; returns libarchive's result. libarchive keeps what it reads for that,
  // some ten times as large: a directory of an ISO, the list of a zip. No more than `most_bytes`,
  // from which they are taken, may be read of a ByteSource, or else it fails. A stream's can't be
  // told from contents that are passed over.
  int next_header(archive* handle, archive_entry** entry, std::uint64_t& most_bytes);

  // Throws what the source threw, or Error(UnusableInput): "`doing`: " and libarchive's reason.
  [[noreturn]] void fail(archive* handle, const char* doing) const;

 private:
  static la_ssize_t read(archive* handle, void* context, const void** data);
  static la_int64_t skip(archive* handle, void* context, la_int64_t count);
  static la_int64_t seek(archive* handle, void* context, la_int64_t offset, int whence);

  std::span<const std::byte> next_of_source();

  ByteStream* stream_ = nullptr;
  const ByteSource* source_ = nullptr;
  std::uint64_t position_ = 0;                  // in source_
  std::vector<std::byte> buffer_;               // of it
  std::uint64_t* header_bytes_left_ = nullptr;  // null: what is read is a member's content
  std::exception_ptr pending_;
};

}  // namespace photon_dmesg
