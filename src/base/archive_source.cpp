#include "base/archive_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "base/libarchive.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t content_step = std::uint64_t{256} * 1024;
constexpr std::uint64_t header_step = 4096;  // little more than what is needed of a list

}  // namespace

int ArchiveSource::open(archive* handle) {
  if (stream_ != nullptr) {
    return libarchive().archive_read_open(handle, this, nullptr, read, nullptr);
  }
  libarchive().archive_read_set_read_callback(handle, read);
  libarchive().archive_read_set_skip_callback(handle, skip);
  libarchive().archive_read_set_seek_callback(handle, seek);
  libarchive().archive_read_set_callback_data(handle, this);
  return libarchive().archive_read_open1(handle);
}

int ArchiveSource::next_header(archive* handle, archive_entry** entry, std::uint64_t& most_bytes) {
  header_bytes_left_ = &most_bytes;
  const int result = libarchive().archive_read_next_header(handle, entry);
  header_bytes_left_ = nullptr;
  return result;
}

void ArchiveSource::fail(archive* handle, const char* doing) const {
  if (pending_) std::rethrow_exception(pending_);
  const char* reason = libarchive().archive_error_string(handle);
  throw unusable(fmt::format("{}: {}", doing, reason == nullptr ? "unknown error" : reason));
}

std::span<const std::byte> ArchiveSource::next_of_source() {
  const std::uint64_t step = header_bytes_left_ == nullptr ? content_step : header_step;
  const std::uint64_t size = std::min(step, source_->size() - position_);
  if (header_bytes_left_ != nullptr) {
    if (*header_bytes_left_ < size) {
      throw unusable(
          fmt::format("damaged: its list of files goes on at {:#x}, and is too long", position_));
    }
    *header_bytes_left_ -= size;
  }
  buffer_.resize(static_cast<std::size_t>(size));
  source_->read_at(position_, buffer_);
  position_ += size;
  return buffer_;
}

la_ssize_t ArchiveSource::read(archive* handle, void* context, const void** data) {
  auto* self = static_cast<ArchiveSource*>(context);
  try {
    const std::span<const std::byte> bytes =
        self->stream_ != nullptr ? self->stream_->next() : self->next_of_source();
    *data = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  } catch (...) {
    self->pending_ = std::current_exception();
    libarchive().archive_set_error(handle, -1, "the source failed");
    return -1;
  }
}

la_int64_t ArchiveSource::skip(archive*, void* context, la_int64_t count) {
  auto* self = static_cast<ArchiveSource*>(context);
  const std::uint64_t left = self->source_->size() - self->position_;
  const auto taken = std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)));
  self->position_ += taken;
  return static_cast<la_int64_t>(taken);
}

la_int64_t ArchiveSource::seek(archive*, void* context, la_int64_t offset, int whence) {
  auto* self = static_cast<ArchiveSource*>(context);
  const auto size = static_cast<la_int64_t>(self->source_->size());
  const la_int64_t base = whence == SEEK_END   ? size
                          : whence == SEEK_CUR ? static_cast<la_int64_t>(self->position_)
                                               : 0;
  la_int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > size) {
    return ARCHIVE_FATAL;
  }
  self->position_ = static_cast<std::uint64_t>(target);
  return target;
}

}  // namespace photon_dmesg
