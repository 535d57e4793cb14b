#pragma once

#include <archive.h>

#include <exception>

#include "base/byte_stream.h"

namespace photon_dmesg {

// A ByteStream as what libarchive reads from. An Error must not pass through libarchive's C frames:
// it waits here until they have returned.
struct ArchiveSource {
  ByteStream* stream = nullptr;  // null: libarchive reads a file by itself
  std::exception_ptr pending;

  // The callback for archive_read_open(), whose context is the source.
  static la_ssize_t read(archive* handle, void* context, const void** data);

  // Throws what the stream threw, or Error(UnusableInput): "`doing`: " and libarchive's reason.
  [[noreturn]] void fail(archive* handle, const char* doing) const;
};

}  // namespace photon_dmesg
