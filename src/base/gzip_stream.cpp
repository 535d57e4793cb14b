#include "base/gzip_stream.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t output_bytes = std::size_t{256} * 1024;
constexpr std::uint8_t first_magic_byte = 0x1f;
constexpr std::uint8_t second_magic_byte = 0x8b;

const char* reason_of(int result) {
  switch (result) {
    case ISAL_INCORRECT_CHECKSUM:
      return "its checksum does not fit";
    case ISAL_UNSUPPORTED_METHOD:
      return "it is not packed with deflate";
    case ISAL_INVALID_WRAPPER:
      return "not gzip";
    default:
      return "invalid deflate data";
  }
}

}  // namespace

GzipStream::GzipStream(ByteStream& packed)
    : packed_(packed), state_(std::make_unique<inflate_state>()), output_(output_bytes) {
  isal_inflate_init(state_.get());
  state_->crc_flag = ISAL_GZIP;
}

GzipStream::~GzipStream() = default;

bool GzipStream::refill() {
  if (state_->avail_in > 0) return true;
  const std::span<const std::byte> bytes = packed_.next();
  state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
  state_->avail_in = static_cast<std::uint32_t>(bytes.size());
  return !bytes.empty();
}

bool GzipStream::begin_next_member() {
  if (!refill() || state_->next_in[0] != first_magic_byte) return false;
  if (state_->avail_in > 1 && state_->next_in[1] != second_magic_byte) return false;
  isal_inflate_reset(state_.get());
  state_->crc_flag = ISAL_GZIP;
  return true;
}

std::span<const std::byte> GzipStream::next() {
  while (!ended_) {
    const bool more_input = refill();
    state_->next_out = reinterpret_cast<std::uint8_t*>(output_.data());
    state_->avail_out = static_cast<std::uint32_t>(output_.size());
    const int result = isal_inflate(state_.get());
    if (result != ISAL_DECOMP_OK) {
      throw unusable(fmt::format("damaged: {}", reason_of(result)));
    }
    const std::size_t size = output_.size() - state_->avail_out;
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      ended_ = !begin_next_member();
    } else if (!more_input && size == 0) {
      throw unusable("truncated: the gzip data does not end");
    }
    if (size > 0) return std::span(output_).first(size);
  }
  return {};
}

}  // namespace photon_dmesg
