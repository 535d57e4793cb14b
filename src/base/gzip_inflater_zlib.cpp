#include <fmt/format.h>
#include <zlib.h>

#include <string_view>

#include "base/error.h"
#include "base/gzip_inflater.h"

namespace photon_dmesg {
namespace {

constexpr int gzip_window_bits = 15 + 16;  // the largest window; 16: in gzip's wrapper

// zlib's own words (its inflate.c), as ISA-L's are put.
const char* reason_of(const char* said) {
  const std::string_view reason = said == nullptr ? "" : said;
  if (reason == "incorrect data check" || reason == "incorrect length check") {
    return "its checksum does not fit";
  }
  if (reason == "unknown compression method") return "it is not packed with deflate";
  if (reason == "incorrect header check") return "not gzip";
  return "invalid deflate data";
}

}  // namespace

struct GzipInflater::State {
  z_stream zlib;
};

GzipInflater::GzipInflater() : state_(std::make_unique<State>()) {
  if (::inflateInit2(&state_->zlib, gzip_window_bits) != Z_OK) {
    throw unusable("zlib: out of memory");
  }
}

GzipInflater::~GzipInflater() {
  ::inflateEnd(&state_->zlib);
}

void GzipInflater::restart() {
  ::inflateReset(&state_->zlib);
}

GzipInflater::Step GzipInflater::unpack(std::span<const std::byte> packed,
                                        std::span<std::byte> target) {
  z_stream& zlib = state_->zlib;
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  zlib.avail_in = static_cast<uInt>(packed.size());
  zlib.next_out = reinterpret_cast<Bytef*>(target.data());
  zlib.avail_out = static_cast<uInt>(target.size());
  const int result = ::inflate(&zlib, Z_NO_FLUSH);
  // Z_BUF_ERROR: nothing was left to take, or no room to give.
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
    throw unusable(fmt::format("damaged: {}", reason_of(zlib.msg)));
  }
  return {packed.size() - zlib.avail_in, target.size() - zlib.avail_out, result == Z_STREAM_END};
}

}  // namespace photon_dmesg
