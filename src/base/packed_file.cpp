#include "base/packed_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/decompression.h"
#include "base/error.h"
#include "base/file_stream.h"
#include "base/watched_stream.h"

namespace photon_dmesg {
namespace {

using namespace std::string_view_literals;

struct Packing {
  std::string_view name;
  std::string_view magic;
};

constexpr std::array packings = {
    Packing{"gzip", "\x1f\x8b\x08"sv},  // 8: deflate (RFC 1952)
    Packing{"zstd", "\x28\xb5\x2f\xfd"sv},
    Packing{"xz", "\xfd\x37zXZ\0"sv},
    Packing{"bzip2", "BZh"sv},
};

}  // namespace

std::optional<std::string_view> packing_of(const ByteSource& source) {
  constexpr std::uint64_t longest_magic = 6;
  std::string first(std::min(longest_magic, source.size()), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(first)));
  const auto* found = std::find_if(packings.begin(), packings.end(), [&](const Packing& packing) {
    return std::string_view(first).starts_with(packing.magic);
  });
  return found == packings.end() ? std::nullopt : std::optional(found->name);
}

std::vector<std::byte> peek_unpacked(const ByteSource& packed, std::size_t count) {
  std::vector<std::byte> begin;
  with_context(packed.name(), [&] {
    FileStream input(packed);
    const auto stream = decompress(input, "none");
    while (begin.size() < count) {
      const std::span<const std::byte> bytes = stream->next();
      if (bytes.empty()) break;
      begin.insert(begin.end(), bytes.begin(), bytes.end());
    }
  });
  begin.resize(std::min(begin.size(), count));
  return begin;
}

std::shared_ptr<const ByteSource> unpack_file(const ByteSource& packed, Diagnostics& diagnostics,
                                              SpoolLimits limits) {
  Spool spool(packed.name(), limits);
  WatchedStream input(packed, fmt::format("unpacking {}", packed.name()), diagnostics);
  const auto stream = with_context(packed.name(), [&] { return decompress(input, "none"); });
  const auto next = [&] { return with_context(packed.name(), [&] { return stream->next(); }); };
  for (auto bytes = next(); !bytes.empty(); bytes = next()) spool.append(bytes);
  return spool.finish();
}

}  // namespace photon_dmesg
