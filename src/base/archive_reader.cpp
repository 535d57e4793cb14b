#include "base/archive_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

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

// For one member. With the first of a zip its whole list is read: this is one of some 300,000
// files.
constexpr std::uint64_t most_header_bytes = std::uint64_t{32} << 20;

constexpr Mark tar_mark = {257, "ustar"sv};  // POSIX.1-1988 and all since, GNU's too
constexpr std::array other_marks = {Mark{0, "PK\x03\x04"sv}, Mark{0, "7z\xbc\xaf'\x1c"sv}};

bool begins_as(const ByteSource& begin, const Mark& mark) {
  std::string found(mark.bytes.size(), '\0');
  if (!begin.contains(mark.offset, found.size())) return false;
  begin.read_at(mark.offset, std::as_writable_bytes(std::span(found)));
  return found == mark.bytes;
}

// As stored, unless it can only be had in UTF-8.
std::string path_of(archive_entry* entry) {
  const char* path = libarchive().archive_entry_pathname(entry);
  if (path == nullptr) path = libarchive().archive_entry_pathname_utf8(entry);
  return path == nullptr ? "" : path;
}

ArchiveReader::Member describe(archive_entry* entry) {
  ArchiveReader::Member member;
  member.path = path_of(entry);
  if (const char* target = libarchive().archive_entry_hardlink(entry)) member.hard_link = target;
  const auto type = libarchive().archive_entry_filetype(entry);
  member.is_file = type == AE_IFREG && member.hard_link.empty();
  member.is_link = type == AE_IFLNK;
  member.is_encrypted = libarchive().archive_entry_is_encrypted(entry) == 1;
  member.size =
      static_cast<std::uint64_t>(std::max<la_int64_t>(0, libarchive().archive_entry_size(entry)));
  if (libarchive().archive_entry_mtime_is_set(entry) != 0)
    member.changed = libarchive().archive_entry_mtime(entry);
  return member;
}

}  // namespace

struct ArchiveReader::State {
  template <typename Bytes>
  explicit State(Bytes& bytes) : source(bytes) {}

  // The next block of the current member. Returns libarchive's result.
  int next_block(std::span<const std::byte>& block, la_int64_t& offset) const {
    const void* data = nullptr;
    std::size_t size = 0;
    const int result = libarchive().archive_read_data_block(handle.get(), &data, &size, &offset);
    block = {static_cast<const std::byte*>(data), size};
    return result;
  }

  ArchiveSource source;
  std::uint64_t number = 0;                     // of the current member, counted from 1
  std::uint64_t position = 0;                   // in it
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

ArchiveReader::ArchiveReader(const ByteSource& source) : anywhere_(&source) {
  open();
}

void ArchiveReader::open() {
  state_ = std::make_unique<State>(*anywhere_);
  archive* handle = state_->handle.get();
  require(libarchive().archive_read_support_format_tar(handle), "tar");
  require(libarchive().archive_read_support_format_zip(handle), "zip");
  require(libarchive().archive_read_support_format_7zip(handle), "7z");
  require(state_->source.open(handle), "damaged archive");
}

ArchiveReader::ArchiveReader(ByteStream& stream) : state_(std::make_unique<State>(stream)) {
  archive* handle = state_->handle.get();
  require(libarchive().archive_read_support_format_tar(handle), "tar");
  require(state_->source.open(handle), "damaged archive");
}

ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::require(int result, const char* doing) const {
  if (result != ARCHIVE_OK) state_->source.fail(state_->handle.get(), doing);
}

std::optional<ArchiveReader::Member> ArchiveReader::next_member() {
  archive_entry* entry = nullptr;
  std::uint64_t header_bytes = most_header_bytes;
  // A 7z's whole list comes with the first, and later ones may unpack what lies before them.
  const int result = state_->number > 0 && unpacks_what_it_skips()
                         ? libarchive().archive_read_next_header(state_->handle.get(), &entry)
                         : state_->source.next_header(state_->handle.get(), &entry, header_bytes);
  state_->position = 0;
  if (result == ARCHIVE_EOF) return std::nullopt;
  // A warning is of what no reader of contents needs, such as a name in another character set.
  if (result == ARCHIVE_WARN || result == ARCHIVE_OK) {
    ++state_->number;
    return describe(entry);
  }
  // To be asked of an archive that has been opened only: else libarchive (3.6.2) leads to nowhere.
  const bool is_encrypted =
      libarchive().archive_read_has_encrypted_entries(state_->handle.get()) == 1;
  const char* doing =
      is_encrypted ? "it is encrypted: unpack it with its password" : "damaged archive";
  state_->source.fail(state_->handle.get(), doing);
}

bool ArchiveReader::unpacks_what_it_skips() const {
  return libarchive().archive_format(state_->handle.get()) == ARCHIVE_FORMAT_7ZIP;
}

void ArchiveReader::come_again() {
  const std::uint64_t number = state_->number;
  open();
  while (state_->number < number && next_member()) {
    std::span<const std::byte> block;
    la_int64_t offset = 0;
    while (state_->number < number && state_->next_block(block, offset) == ARCHIVE_OK) {
    }
  }
}

std::optional<ArchiveReader::Part> ArchiveReader::next_part() {
  std::span<const std::byte> block;
  la_int64_t offset = 0;
  while (block.empty()) {
    int result = state_->next_block(block, offset);
    if (result == ARCHIVE_FATAL && state_->position == 0 && unpacks_what_it_skips()) {
      come_again();
      result = state_->next_block(block, offset);
    }
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
  const Part part{at - state_->position, block};
  state_->position = at + block.size();
  if (part.zeros == 0 && block.empty()) return std::nullopt;
  return part;
}

}  // namespace photon_dmesg
