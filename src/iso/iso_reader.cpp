#include "iso/iso_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/archive_source.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

// Of all directories. libarchive keeps 460 bytes for each file, whose record has 34 at least: these
// are 340 MB. A Photon ISO has less than a MiB of them.
constexpr std::uint64_t most_directory_bytes = std::uint64_t{24} << 20;

}  // namespace

IsoReader::IsoReader(const std::filesystem::path& path)
    : file_(std::make_unique<InputFile>(path)),
      source_(std::make_unique<ArchiveSource>(*file_)),
      handle_(new_archive_handle()),
      directory_bytes_left_(most_directory_bytes) {
  open();
}

IsoReader::IsoReader(ByteStream& stream)
    : source_(std::make_unique<ArchiveSource>(stream)),
      handle_(new_archive_handle()),
      directory_bytes_left_(most_directory_bytes) {
  open();
}

void IsoReader::open() {
  require(libarchive().archive_read_support_format_iso9660(handle_.get()), "ISO 9660");
  require(source_->open(handle_.get()), "reading the ISO");
}

void IsoReader::require(int result, const char* doing) const {
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) source_->fail(handle_.get(), doing);
}

std::optional<IsoReader::Member> IsoReader::next_member() {
  archive_entry* entry = nullptr;
  const int result = source_->next_header(handle_.get(), &entry, directory_bytes_left_);
  data_position_ = 0;
  if (result == ARCHIVE_EOF) return std::nullopt;
  require(result, "reading the next file's header");
  const char* path = libarchive().archive_entry_pathname(entry);
  const bool regular = libarchive().archive_entry_filetype(entry) == AE_IFREG;
  const char* target = libarchive().archive_entry_hardlink(entry);
  // libarchive goes on without it.
  const bool is_unknown = result == ARCHIVE_WARN && libarchive().archive_entry_filetype(entry) == 0;
  const char* reason = is_unknown ? libarchive().archive_error_string(handle_.get()) : nullptr;
  return Member{
      path == nullptr ? "" : path,
      static_cast<std::uint64_t>(std::max<la_int64_t>(0, libarchive().archive_entry_size(entry))),
      regular, target == nullptr ? "" : target, reason == nullptr ? "" : reason};
}

std::span<const std::byte> IsoReader::next_data() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  do {
    const int result = libarchive().archive_read_data_block(handle_.get(), &data, &size, &offset);
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
