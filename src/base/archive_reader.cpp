#include "base/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

#include "base/archive_source.h"
#include "base/error.h"
#include "base/libarchive.h"

namespace photon_dmesg {
namespace {

using namespace std::string_view_literals;

struct Mark {
  std::uint64_t offset;
  std::string_view bytes;
};

constexpr Mark tar_mark = {257, "ustar"sv};  // POSIX.1-1988 and all since, GNU's too
constexpr std::array other_marks = {Mark{0, "PK\x03\x04"sv}, Mark{0, "7z\xbc\xaf'\x1c"sv}};

bool begins_as(const ByteSource& begin, const Mark& mark) {
  std::string found(mark.bytes.size(), '\0');
  if (!begin.contains(mark.offset, found.size())) return false;
  begin.read_at(mark.offset, std::as_writable_bytes(std::span(found)));
  return found == mark.bytes;
}

// A ByteSource as what libarchive reads from at any place.
struct SeekableSource {
  static constexpr std::uint64_t step = 256 * 1024;

  const ByteSource* source = nullptr;
  ArchiveSource* errors = nullptr;
  std::uint64_t position = 0;
  std::vector<std::byte> buffer;

  static la_ssize_t read(archive* handle, void* context, const void** data) {
    auto* self = static_cast<SeekableSource*>(context);
    try {
      const std::uint64_t left = self->source->size() - self->position;
      self->buffer.resize(static_cast<std::size_t>(std::min(step, left)));
      self->source->read_at(self->position, self->buffer);
      self->position += self->buffer.size();
      *data = self->buffer.data();
      return static_cast<la_ssize_t>(self->buffer.size());
    } catch (...) {
      self->errors->pending = std::current_exception();
      libarchive().archive_set_error(handle, -1, "the source failed");
      return -1;
    }
  }

  static la_int64_t skip(archive*, void* context, la_int64_t count) {
    auto* self = static_cast<SeekableSource*>(context);
    const std::uint64_t left = self->source->size() - self->position;
    const auto taken = std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)));
    self->position += taken;
    return static_cast<la_int64_t>(taken);
  }

  static la_int64_t seek(archive*, void* context, la_int64_t offset, int whence) {
    auto* self = static_cast<SeekableSource*>(context);
    const auto size = static_cast<la_int64_t>(self->source->size());
    const la_int64_t base = whence == SEEK_END   ? size
                            : whence == SEEK_CUR ? static_cast<la_int64_t>(self->position)
                                                 : 0;
    la_int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > size) {
      return ARCHIVE_FATAL;
    }
    self->position = static_cast<std::uint64_t>(target);
    return target;
  }
};

// As stored, unless it can only be had in UTF-8.
std::string path_of(archive_entry* entry) {
  const char* path = libarchive().archive_entry_pathname(entry);
  if (path == nullptr) path = libarchive().archive_entry_pathname_utf8(entry);
  return path == nullptr ? "" : path;
}

ArchiveReader::Member describe(archive_entry* entry) {
  ArchiveReader::Member member;
  member.path = path_of(entry);
  member.is_file = libarchive().archive_entry_filetype(entry) == AE_IFREG &&
                   libarchive().archive_entry_hardlink(entry) == nullptr;
  member.is_encrypted = libarchive().archive_entry_is_encrypted(entry) == 1;
  member.size =
      static_cast<std::uint64_t>(std::max<la_int64_t>(0, libarchive().archive_entry_size(entry)));
  if (libarchive().archive_entry_mtime_is_set(entry) != 0)
    member.changed = libarchive().archive_entry_mtime(entry);
  return member;
}

}  // namespace

struct ArchiveReader::State {
  ArchiveSource errors;
  SeekableSource seekable;
  std::uint64_t position = 0;                   // in the current member
  ArchiveHandle handle = new_archive_handle();  // ends before what it reads from
};

bool is_tar_archive(const ByteSource& begin) {
  return begins_as(begin, tar_mark);
}

bool is_archive(const ByteSource& begin) {
  return is_tar_archive(begin) ||
         std::any_of(other_marks.begin(), other_marks.end(),
                     [&](const Mark& mark) { return begins_as(begin, mark); });
}

ArchiveReader::ArchiveReader(const ByteSource& source) : state_(std::make_unique<State>()) {
  archive* handle = state_->handle.get();
  state_->seekable.source = &source;
  state_->seekable.errors = &state_->errors;
  require(libarchive().archive_read_support_format_tar(handle), "tar");
  require(libarchive().archive_read_support_format_zip(handle), "zip");
  require(libarchive().archive_read_support_format_7zip(handle), "7z");
  libarchive().archive_read_set_read_callback(handle, SeekableSource::read);
  libarchive().archive_read_set_skip_callback(handle, SeekableSource::skip);
  libarchive().archive_read_set_seek_callback(handle, SeekableSource::seek);
  libarchive().archive_read_set_callback_data(handle, &state_->seekable);
  require(libarchive().archive_read_open1(handle), "damaged archive");
}

ArchiveReader::ArchiveReader(ByteStream& stream) : state_(std::make_unique<State>()) {
  archive* handle = state_->handle.get();
  state_->errors.stream = &stream;
  require(libarchive().archive_read_support_format_tar(handle), "tar");
  require(libarchive().archive_read_open(handle, &state_->errors, nullptr, ArchiveSource::read,
                                         nullptr),
          "damaged archive");
}

ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::require(int result, const char* doing) const {
  if (result != ARCHIVE_OK) state_->errors.fail(state_->handle.get(), doing);
}

std::optional<ArchiveReader::Member> ArchiveReader::next_member() {
  archive_entry* entry = nullptr;
  const int result = libarchive().archive_read_next_header(state_->handle.get(), &entry);
  state_->position = 0;
  if (result == ARCHIVE_EOF) return std::nullopt;
  // A warning is of what no reader of contents needs, such as a name in another character set.
  if (result == ARCHIVE_WARN || result == ARCHIVE_OK) return describe(entry);
  // To be asked of an archive that has been opened only: else libarchive (3.6.2) leads to nowhere.
  const bool is_encrypted =
      libarchive().archive_read_has_encrypted_entries(state_->handle.get()) == 1;
  const char* doing =
      is_encrypted ? "it is encrypted: unpack it with its password" : "damaged archive";
  state_->errors.fail(state_->handle.get(), doing);
}

bool ArchiveReader::unpacks_what_it_skips() const {
  return libarchive().archive_format(state_->handle.get()) == ARCHIVE_FORMAT_7ZIP;
}

std::optional<ArchiveReader::Part> ArchiveReader::next_part() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (size == 0) {
    const int result =
        libarchive().archive_read_data_block(state_->handle.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) break;
    require(result, "damaged archive");
  }
  const auto at = static_cast<std::uint64_t>(std::max<la_int64_t>(0, offset));
  if (at < state_->position) {
    throw unusable(
        fmt::format("damaged archive: expected content at {:#x} or behind, found it at "
                    "{:#x}",
                    state_->position, at));
  }
  const Part part{at - state_->position, {static_cast<const std::byte*>(data), size}};
  state_->position = at + size;
  if (part.zeros == 0 && size == 0) return std::nullopt;
  return part;
}

}  // namespace photon_dmesg
