#include "iso/iso_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t read_bytes = std::size_t{1024} * 1024;

}  // namespace

// An Error must not pass through libarchive's C frames: it waits here until they have returned.
struct IsoReader::Source {
  ByteStream* stream = nullptr;
  std::exception_ptr pending;

  static la_ssize_t read(archive* handle, void* context, const void** data) {
    auto* self = static_cast<Source*>(context);
    try {
      const std::span<const std::byte> bytes = self->stream->next();
      *data = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {
      self->pending = std::current_exception();
      archive_set_error(handle, -1, "the source failed");
      return -1;
    }
  }
};

void IsoReader::Delete::operator()(Source* source) const {
  delete source;
}

void IsoReader::Close::operator()(archive* handle) const {
  archive_read_free(handle);
}

IsoReader::IsoReader() : source_(new Source()), handle_(archive_read_new()) {
  if (!handle_) throw unusable("libarchive: out of memory");
  require(archive_read_support_format_iso9660(handle_.get()), "ISO 9660");
}

IsoReader::IsoReader(const std::filesystem::path& path) : IsoReader() {
  require(archive_read_open_filename(handle_.get(), path.c_str(), read_bytes), "reading the ISO");
}

IsoReader::IsoReader(ByteStream& stream) : IsoReader() {
  source_->stream = &stream;
  require(archive_read_open(handle_.get(), source_.get(), nullptr, Source::read, nullptr),
          "reading the ISO");
}

void IsoReader::fail(const char* doing) const {
  if (source_->pending) std::rethrow_exception(source_->pending);
  const char* reason = archive_error_string(handle_.get());
  throw unusable(fmt::format("{}: {}", doing, reason == nullptr ? "unknown error" : reason));
}

void IsoReader::require(int result, const char* doing) const {
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail(doing);
}

std::optional<IsoReader::Member> IsoReader::next_member() {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(handle_.get(), &entry);
  data_position_ = 0;
  if (result == ARCHIVE_EOF) return std::nullopt;
  require(result, "reading the next file's header");
  const char* path = archive_entry_pathname(entry);
  const bool regular = archive_entry_filetype(entry) == AE_IFREG;
  return Member{path == nullptr ? "" : path,
                static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry))),
                regular};
}

std::span<const std::byte> IsoReader::next_data() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int result = archive_read_data_block(handle_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return {};
    require(result, "reading the file's content");
    // An ISO has no sparse files.
    if (static_cast<std::uint64_t>(offset) != data_position_) {
      throw unusable(
          fmt::format("expected content at {:#x}, found it at {:#x}", data_position_, offset));
    }
    data_position_ += size;
  } while (size == 0);
  return {static_cast<const std::byte*>(data), size};
}

}  // namespace photon_dmesg
