#include "base/gzip_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>

#include "base/error.h"
#include "base/file_stream.h"

namespace photon_dmesg {
namespace {

// zlib's inflate, and a gzip header and trailer with its checksum around the data.
constexpr int window_bits = 15 + 16;

class Inflater {
 public:
  explicit Inflater(std::string name) : name_(std::move(name)) {
    if (::inflateInit2(&stream_, window_bits) != Z_OK) throw unusable("zlib: out of memory");
  }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends what `bytes` unpack to; several members may stand one behind the other.
  void feed(std::span<const std::byte> bytes, SpooledFile& target) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    bool more_output = false;  // was left when the last buffer was full
    while (stream_.avail_in > 0 || more_output) {
      if (ended_) ::inflateReset(&stream_);
      stream_.next_out = reinterpret_cast<Bytef*>(output_.data());
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        throw unusable(fmt::format("{}: damaged: {}", name_,
                                   stream_.msg == nullptr ? "not gzip" : stream_.msg));
      }
      ended_ = result == Z_STREAM_END;
      more_output = !ended_ && stream_.avail_out == 0;
      target.append(std::span(output_).first(output_.size() - stream_.avail_out));
    }
  }

  // Whether the last member was complete.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  std::string name_;
  z_stream stream_{};
  bool ended_ = false;
  std::array<std::byte, std::size_t{256} * 1024> output_{};
};

}  // namespace

bool is_gzip_file(const ByteSource& source) {
  constexpr std::array magic = {std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};  // 8: deflate
  std::array<std::byte, 3> found{};
  if (!source.contains(0, found.size())) return false;
  source.read_at(0, found);
  return found == magic;
}

GzipFile::GzipFile(const ByteSource& packed, Diagnostics& diagnostics)
    : BlockSource(packed.name(), 0, SpooledFile::block_bytes) {
  FileStream stream(packed);
  const auto inflater = std::make_unique<Inflater>(packed.name());
  std::uint64_t done = 0;
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
    inflater->feed(bytes, spool_);
    done += bytes.size();
    diagnostics.progress(fmt::format("unpacking {}", packed.name()), done, packed.size());
  }
  if (!inflater->ended()) {
    throw unusable(fmt::format("{}: truncated: the gzip data does not end", packed.name()));
  }
  spool_.finish();
  set_size(spool_.size());
}

std::vector<std::byte> GzipFile::load_block(std::uint64_t index) const {
  return spool_.read_block(static_cast<std::size_t>(index));
}

}  // namespace photon_dmesg
