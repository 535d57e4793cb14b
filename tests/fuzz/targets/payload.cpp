// What payloads of packages unpack to.
#include <array>

#include "base/decompression.h"
#include "fuzz/input.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {

void fuzz_payload(Bytes bytes) {
  constexpr std::uint64_t most_bytes = std::uint64_t{4} << 20;
  constexpr std::array names = {"gzip", "zstd", "xz", "bzip2", "lzma", "none", "lrzip"};
  Input input(bytes);
  const unsigned choice = input.byte();
  const std::size_t step = 1 + input.byte();
  test::ShortStream packed(Input::as_string(input.rest()), step);
  const auto stream = decompress(packed, names.at(choice % names.size()));
  std::uint64_t read = 0;
  for (Bytes part = stream->next(); !part.empty() && read < most_bytes; part = stream->next()) {
    read += part.size();
  }
}

}  // namespace photon_dmesg::fuzz
