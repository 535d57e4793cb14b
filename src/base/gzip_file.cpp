#include "base/gzip_file.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "base/file_stream.h"
#include "base/gzip_stream.h"

namespace photon_dmesg {

bool is_gzip_file(const ByteSource& source) {
  constexpr std::array magic = {std::byte{0x1f}, std::byte{0x8b}, std::byte{8}};  // 8: deflate
  std::array<std::byte, 3> found{};
  if (!source.contains(0, found.size())) return false;
  source.read_at(0, found);
  return found == magic;
}

GzipFile::GzipFile(const ByteSource& packed, Diagnostics& diagnostics)
    : BlockSource(packed.name(), 0, SpooledFile::block_bytes) {
  with_context(packed.name(), [&] {
    FileStream input(packed);
    GzipStream stream(input);
    for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
      spool_.append(bytes);
      diagnostics.progress(
          {fmt::format("unpacking {}", packed.name()), input.position(), packed.size()});
    }
  });
  spool_.finish();
  set_size(spool_.size());
}

std::vector<std::byte> GzipFile::load_block(std::uint64_t index) const {
  return spool_.read_block(static_cast<std::size_t>(index));
}

}  // namespace photon_dmesg
