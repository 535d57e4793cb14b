#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include "base/error.h"
#include "base/gzip_inflater.h"

namespace photon_dmesg {
namespace {

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

struct GzipInflater::State {
  inflate_state isal;
};

GzipInflater::GzipInflater() : state_(std::make_unique<State>()) {
  isal_inflate_init(&state_->isal);
  state_->isal.crc_flag = ISAL_GZIP;
}

GzipInflater::~GzipInflater() = default;

void GzipInflater::restart() {
  isal_inflate_reset(&state_->isal);
  state_->isal.crc_flag = ISAL_GZIP;
}

GzipInflater::Step GzipInflater::unpack(std::span<const std::byte> packed,
                                        std::span<std::byte> target) {
  inflate_state& isal = state_->isal;
  isal.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(packed.data()));
  isal.avail_in = static_cast<std::uint32_t>(packed.size());
  isal.next_out = reinterpret_cast<std::uint8_t*>(target.data());
  isal.avail_out = static_cast<std::uint32_t>(target.size());
  const int result = isal_inflate(&isal);
  if (result != ISAL_DECOMP_OK) throw unusable(fmt::format("damaged: {}", reason_of(result)));
  return {packed.size() - isal.avail_in, target.size() - isal.avail_out,
          isal.block_state == ISAL_BLOCK_FINISH};
}

}  // namespace photon_dmesg
