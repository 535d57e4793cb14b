#include "base/xz_stream.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "base/liblzma.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t output_bytes = std::size_t{256} * 1024;

// As large as the largest window of zstd that is unpacked; `xz -9` has a dictionary of 64 MiB. What
// the decoder needs beside the dictionary is less than a MiB.
constexpr std::uint64_t most_memory = std::uint64_t{129} << 20;

Error failed(lzma_ret result) {
  switch (result) {
    case LZMA_MEMLIMIT_ERROR:
      return unusable("packed with a larger window than can be unpacked here");
    case LZMA_BUF_ERROR:
      return unusable("truncated: the xz data does not end");
    case LZMA_FORMAT_ERROR:
      return unusable("damaged: not xz");
    case LZMA_OPTIONS_ERROR:
      return unusable("damaged: xz data of an unknown kind");
    case LZMA_MEM_ERROR:
      return unusable("liblzma: out of memory");
    default:
      return unusable("damaged: invalid xz data");
  }
}

}  // namespace

struct XzStream::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { library.lzma_end(&lzma); }

  const Liblzma& library = liblzma();  // or there is no State that has to be ended
  lzma_stream lzma = LZMA_STREAM_INIT;
  lzma_ret result = LZMA_OK;  // of the last call
  std::vector<std::uint8_t> output = std::vector<std::uint8_t>(output_bytes);
};

XzStream::XzStream(ByteStream& packed, Format format)
    : packed_(packed), state_(std::make_unique<State>()) {
  state_->result =
      format == Format::Xz
          ? state_->library.lzma_stream_decoder(&state_->lzma, most_memory, LZMA_CONCATENATED)
          : state_->library.lzma_alone_decoder(&state_->lzma, most_memory);
}

XzStream::~XzStream() = default;

std::span<const std::byte> XzStream::next() {
  lzma_stream& lzma = state_->lzma;
  while (state_->result == LZMA_OK) {
    if (lzma.avail_in == 0) {
      const std::span<const std::byte> more = packed_.next();
      lzma.next_in = reinterpret_cast<const std::uint8_t*>(more.data());
      lzma.avail_in = more.size();
    }
    lzma.next_out = state_->output.data();
    lzma.avail_out = state_->output.size();
    state_->result = state_->library.lzma_code(&lzma, lzma.avail_in == 0 ? LZMA_FINISH : LZMA_RUN);
    const std::size_t given = state_->output.size() - lzma.avail_out;
    if (given > 0) return std::as_bytes(std::span(state_->output).first(given));
  }
  if (state_->result != LZMA_STREAM_END) throw failed(state_->result);
  return {};
}

}  // namespace photon_dmesg
