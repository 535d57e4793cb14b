#include "base/gzip_stream.h"

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t output_bytes = std::size_t{256} * 1024;
constexpr std::byte first_magic_byte{0x1f};
constexpr std::byte second_magic_byte{0x8b};

}  // namespace

GzipStream::GzipStream(ByteStream& packed) : packed_(packed), output_(output_bytes) {}

bool GzipStream::refill() {
  if (input_.empty()) input_ = packed_.next();
  return !input_.empty();
}

bool GzipStream::begin_next_member() {
  if (!refill() || input_[0] != first_magic_byte) return false;
  if (input_.size() > 1 && input_[1] != second_magic_byte) return false;
  inflater_.restart();
  return true;
}

std::span<const std::byte> GzipStream::next() {
  while (!ended_) {
    const bool more_input = refill();
    const GzipInflater::Step step = inflater_.unpack(input_, output_);
    input_ = input_.subspan(step.taken);
    if (step.ended) {
      ended_ = !begin_next_member();
    } else if (!more_input && step.given == 0) {
      throw unusable("truncated: the gzip data does not end");
    }
    if (step.given > 0) return std::span(output_).first(step.given);
  }
  return {};
}

}  // namespace photon_dmesg
