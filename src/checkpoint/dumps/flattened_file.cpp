#include "checkpoint/dumps/flattened_file.h"

#include <fmt/format.h>

#include <array>

#include "base/budget.h"
#include "base/error.h"
#include "checkpoint/dumps/memory_file.h"

namespace photon_dmesg {
namespace {

// A flattened dump: its magic and two numbers in a header of 4096 bytes, then pieces of the real
// file, each behind its offset and size as big-endian numbers; -1 ends them (makedumpfile(8),
// makedumpfile.h).
constexpr std::uint64_t flattened_header_bytes = 4096;
constexpr std::uint64_t flattened_end = ~std::uint64_t{0};

std::uint64_t read_big_endian(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  source.read_at(offset, bytes);
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

// Each piece takes whole pages, and makedumpfile writes few that are smaller than that: what is put
// in order takes little more memory than the file has bytes.
Budget memory_budget(const ByteSource& source) {
  constexpr std::uint64_t always = 64 * 1024 * 1024;
  return {"bytes of memory for putting it in order", always + 2 * source.size()};
}

std::uint64_t bytes_of_pages(std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t page = 4096;
  return (offset % page + size + page - 1) / page * page;
}

}  // namespace

std::shared_ptr<const ByteSource> put_in_order(const ByteSource& source, Diagnostics& diagnostics) {
  auto target = std::make_unique<MemoryFile>(source.name());
  Budget budget = memory_budget(source);
  std::uint64_t at = flattened_header_bytes;
  while (true) {
    const std::uint64_t offset = read_big_endian(source, at);
    const std::uint64_t size = read_big_endian(source, at + sizeof(offset));
    if (offset == flattened_end) return target;
    at += sizeof(offset) + sizeof(size);
    // What a file of that size could not hold is damage.
    if (!source.contains(at, size) || offset > std::uint64_t{1} << 48) {
      throw unusable(fmt::format(
          "{}: truncated or damaged: expected {} bytes for offset {:#x} at {:#x}, but it ends at "
          "{:#x}",
          source.name(), size, offset, at, source.size()));
    }
    if (!budget.take(bytes_of_pages(offset, size))) {
      budget.warn_if_exceeded(source.name(), diagnostics);
      return target;
    }
    target->copy(source, at, size, offset);
    at += size;
    diagnostics.progress({fmt::format("putting {} in order", source.name()), at, source.size()});
  }
}

}  // namespace photon_dmesg
