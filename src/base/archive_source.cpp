#include "base/archive_source.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/libarchive.h"

namespace photon_dmesg {

la_ssize_t ArchiveSource::read(archive* handle, void* context, const void** data) {
  auto* self = static_cast<ArchiveSource*>(context);
  try {
    const std::span<const std::byte> bytes = self->stream->next();
    *data = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) {
    self->pending = std::current_exception();
    libarchive().archive_set_error(handle, -1, "the source failed");
    return -1;
  }
}

void ArchiveSource::fail(archive* handle, const char* doing) const {
  if (pending) std::rethrow_exception(pending);
  const char* reason = libarchive().archive_error_string(handle);
  throw unusable(fmt::format("{}: {}", doing, reason == nullptr ? "unknown error" : reason));
}

}  // namespace photon_dmesg
