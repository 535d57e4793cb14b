#include "base/decompression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/archive_source.h"
#include "base/error.h"
#include "base/gzip_stream.h"
#include "base/libarchive.h"
#include "base/xz_stream.h"

namespace photon_dmesg {
namespace {

using namespace std::string_view_literals;

struct Compressor {
  std::string_view name;
  std::string_view magic;                // empty: it has none
  int (*Libarchive::*filter)(archive*);  // null: not libarchive's business
};

// Gzip is not libarchive's business: ISA-L unpacks it three to four times as fast, and libarchive
// does not look at its checksums. Nor are xz and lzma: it lets them take any memory.
constexpr std::array compressors = {
    Compressor{"gzip", "\x1f\x8b"sv, nullptr},
    Compressor{"zstd", "\x28\xb5\x2f\xfd"sv, &Libarchive::archive_read_support_filter_zstd},
    Compressor{"xz", "\xfd\x37zXZ\0"sv, nullptr},
    Compressor{"bzip2", "BZh"sv, &Libarchive::archive_read_support_filter_bzip2},
    Compressor{"lzma", ""sv, nullptr},
    // Its legacy frame.
    Compressor{"lz4", "\x02\x21\x4c\x18"sv, &Libarchive::archive_read_support_filter_lz4},
    Compressor{"none", "0707"sv, nullptr},
};

// A stream of which the first bytes have been looked at already.
class PeekedStream final : public ByteStream {
 public:
  explicit PeekedStream(ByteStream& stream) : stream_(stream), first_(stream.next()) {}

  [[nodiscard]] std::string_view first() const {
    return {reinterpret_cast<const char*>(first_.data()), first_.size()};
  }
  [[nodiscard]] std::span<const std::byte> next() override {
    return first_.empty() ? stream_.next() : std::exchange(first_, {});
  }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

 private:
  ByteStream& stream_;
  std::span<const std::byte> first_;  // valid until stream_ is asked for more
};

// What `Stream` unpacks, with what it reads from.
template <typename Stream>
class Payload final : public ByteStream {
 public:
  template <typename... Options>
  explicit Payload(std::unique_ptr<PeekedStream> packed, Options... options)
      : packed_(std::move(packed)), stream_(*packed_, options...) {}
  [[nodiscard]] std::span<const std::byte> next() override { return stream_.next(); }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

 private:
  std::unique_ptr<PeekedStream> packed_;
  Stream stream_;
};

// Through one of libarchive's filters.
class FilteredStream final : public ByteStream {
 public:
  FilteredStream(std::unique_ptr<PeekedStream> packed, const Compressor& compressor)
      : packed_(std::move(packed)), source_(*packed_), handle_(new_archive_handle()) {
    if ((libarchive().*compressor.filter)(handle_.get()) == ARCHIVE_WARN) {
      // It would start another program.
      throw unusable(fmt::format("packed with {}, which this build's libarchive can't unpack",
                                 compressor.name));
    }
    require(libarchive().archive_read_support_format_raw(handle_.get()));
    require(source_.open(handle_.get()));
    archive_entry* entry = nullptr;
    const int result = libarchive().archive_read_next_header(handle_.get(), &entry);
    ended_ = result == ARCHIVE_EOF;  // as libarchive calls what unpacks to nothing
    if (!ended_) require(result);
  }

  [[nodiscard]] std::span<const std::byte> next() override {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (size == 0 && !ended_) {
      const int result = libarchive().archive_read_data_block(handle_.get(), &data, &size, &offset);
      ended_ = result == ARCHIVE_EOF;
      if (!ended_) require(result);
    }
    if (ended_) return {};
    return {static_cast<const std::byte*>(data), size};
  }

  [[nodiscard]] const std::string& name() const override { return packed_->name(); }

 private:
  void require(int result) const {
    if (result == ARCHIVE_OK) return;
    // As zstd says it of a window of more than 128 MiB, which is no damage.
    const char* reason = libarchive().archive_error_string(handle_.get());
    const bool too_large = reason != nullptr && std::string_view(reason).find("too much memory") !=
                                                    std::string_view::npos;
    source_.fail(handle_.get(),
                 too_large ? "packed with a larger window than can be unpacked here" : "damaged");
  }

  std::unique_ptr<PeekedStream> packed_;
  ArchiveSource source_;
  ArchiveHandle handle_;
  bool ended_ = false;
};

const Compressor& identify(std::string_view first, const std::string& named) {
  for (const Compressor& compressor : compressors) {
    if (!compressor.magic.empty() && first.starts_with(compressor.magic)) return compressor;
  }
  const auto* found = std::find_if(compressors.begin(), compressors.end(),
                                   [&](const Compressor& known) { return known.name == named; });
  if (found == compressors.end()) {
    throw unusable(fmt::format(
        "expected a payload compressed with gzip, zstd, xz, lzma, bzip2 or lz4, found \"{}\"",
        named));
  }
  return *found;
}

}  // namespace

std::unique_ptr<ByteStream> decompress(ByteStream& packed, const std::string& named) {
  auto peeked = std::make_unique<PeekedStream>(packed);
  const Compressor& compressor = identify(peeked->first(), named);
  if (compressor.filter != nullptr) {
    return std::make_unique<FilteredStream>(std::move(peeked), compressor);
  }
  if (compressor.name == "gzip") return std::make_unique<Payload<GzipStream>>(std::move(peeked));
  if (compressor.name == "xz") {
    return std::make_unique<Payload<XzStream>>(std::move(peeked), XzStream::Format::Xz);
  }
  if (compressor.name == "lzma") {
    return std::make_unique<Payload<XzStream>>(std::move(peeked), XzStream::Format::Lzma);
  }
  return peeked;
}

}  // namespace photon_dmesg
