#include "base/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>

#include "base/error.h"

namespace photon_dmesg {
namespace {

struct Compressor {
  std::string_view name;
  int (*enable)(archive*);
};

constexpr std::array compressors = {
    Compressor{"none", archive_read_support_filter_none},
    Compressor{"gzip", archive_read_support_filter_gzip},
    Compressor{"bzip2", archive_read_support_filter_bzip2},
    Compressor{"xz", archive_read_support_filter_xz},
    Compressor{"lzma", archive_read_support_filter_lzma},
    Compressor{"zstd", archive_read_support_filter_zstd},
};

constexpr std::size_t iso_read_bytes = 1024 * 1024;

}  // namespace

// What libarchive's callbacks work on. An Error must not pass through libarchive's C frames, so it
// waits here until the call that led to it has returned.
struct ArchiveReader::Source {
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

void ArchiveReader::Close::operator()(archive* handle) const {
  archive_read_free(handle);
}

ArchiveReader::ArchiveReader() : source_(std::make_unique<Source>()), handle_(archive_read_new()) {
  if (!handle_) {
    throw unusable("libarchive: out of memory");
  }
}

ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::fail(const char* doing) const {
  if (source_->pending) {
    std::rethrow_exception(source_->pending);
  }
  const char* reason = archive_error_string(handle_.get());
  throw unusable(fmt::format("{}: {}", doing, reason == nullptr ? "unknown error" : reason));
}

void ArchiveReader::require(int result, const char* doing) const {
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
    fail(doing);
  }
}

ArchiveReader ArchiveReader::open_iso(const std::filesystem::path& path) {
  ArchiveReader reader;
  archive* handle = reader.handle_.get();
  reader.require(archive_read_support_format_iso9660(handle), "ISO 9660");
  reader.require(archive_read_open_filename(handle, path.c_str(), iso_read_bytes),
                 "reading the ISO");
  return reader;
}

ArchiveReader ArchiveReader::open_cpio(ByteStream& stream, const std::string& compressor) {
  const auto* found =
      std::find_if(compressors.begin(), compressors.end(),
                   [&](const Compressor& known) { return known.name == compressor; });
  if (found == compressors.end()) {
    throw unusable(
        fmt::format("expected a payload compressed with gzip, zstd, xz, lzma or bzip2, "
                    "found \"{}\"",
                    compressor));
  }
  ArchiveReader reader;
  archive* handle = reader.handle_.get();
  reader.source_->stream = &stream;
  reader.require(found->enable(handle), "preparing to decompress");
  reader.require(archive_read_support_format_cpio(handle), "cpio");
  reader.require(archive_read_open(handle, reader.source_.get(), nullptr, Source::read, nullptr),
                 "reading the payload");
  return reader;
}

std::optional<ArchiveReader::Member> ArchiveReader::next_member() {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(handle_.get(), &entry);
  data_position_ = 0;
  if (result == ARCHIVE_EOF) {
    return std::nullopt;
  }
  require(result, "reading the next file's header");
  const char* path = archive_entry_pathname(entry);
  const bool regular = archive_entry_filetype(entry) == AE_IFREG;
  return Member{path == nullptr ? "" : path,
                static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry))),
                regular};
}

std::span<const std::byte> ArchiveReader::next_data() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int result = archive_read_data_block(handle_.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) {
      return {};
    }
    require(result, "reading the file's content");
    // Neither an ISO nor a cpio archive has sparse files.
    if (static_cast<std::uint64_t>(offset) != data_position_) {
      throw unusable(
          fmt::format("expected content at {:#x}, found it at {:#x}", data_position_, offset));
    }
    data_position_ += size;
  } while (size == 0);
  return {static_cast<const std::byte*>(data), size};
}

}  // namespace photon_dmesg
