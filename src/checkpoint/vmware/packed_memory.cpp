#include "checkpoint/vmware/packed_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/byte_reader.h"
#include "base/error.h"
#include "checkpoint/vmware/fastlz.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t block_bytes = 0x400000;
constexpr std::uint64_t header_bytes = 16;

struct BlockHeader {
  std::uint32_t size = 0;
  std::uint32_t packed_size = 0;
  bool zeros_in_place = false;
};

BlockHeader read_block_header(ByteReader& reader) {
  BlockHeader header;
  header.size = reader.u32("a packed block's size");
  const std::uint32_t first_zero = reader.u32("a packed block's header");
  header.packed_size = reader.u32("a packed block's packed size");
  const std::uint32_t second_zero = reader.u32("a packed block's header");
  header.zeros_in_place = first_zero == 0 && second_zero == 0;
  return header;
}

// A byte of FastLZ stands for 255 at most.
constexpr std::uint32_t most_expansion = 512;

bool is_sound(const BlockHeader& header) {
  return header.zeros_in_place && header.size > 0 && header.size <= block_bytes &&
         header.packed_size > 0 && header.packed_size <= header.size &&
         header.packed_size >= header.size / most_expansion;
}

}  // namespace

// Memory that begins like this by chance is told apart by the header behind the first block, or by
// the file's end there.
bool is_packed_memory(const ByteSource& source) {
  if (!source.contains(0, header_bytes)) return false;
  ByteReader reader(source);
  const BlockHeader first = read_block_header(reader);
  if (!is_sound(first) || first.packed_size > reader.remaining()) return false;
  reader.skip(first.packed_size, "a packed block");
  if (reader.remaining() == 0) return true;
  return first.size == block_bytes && reader.remaining() > header_bytes &&
         is_sound(read_block_header(reader));
}

std::shared_ptr<const ByteSource> unpack_memory(std::shared_ptr<const ByteSource> memory,
                                                Diagnostics& diagnostics) {
  if (!is_packed_memory(*memory)) return memory;
  diagnostics.found(
      {.what = "packed in blocks", .where = memory->name(), .how = "as decrypted memory is"});
  auto unpacked = std::make_unique<PackedMemory>(std::move(memory));
  if (unpacked->is_cut()) {
    diagnostics.warn_of_lack(fmt::format(
        "{}: incomplete: it ends within a packed block: what lies in the rest is missing (copy it "
        "again)",
        unpacked->name()));
  }
  return unpacked;
}

PackedMemory::PackedMemory(std::shared_ptr<const ByteSource> packed)
    : BlockSource(packed->name(), 0, block_bytes), packed_(std::move(packed)) {
  ByteReader reader(*packed_);
  std::uint64_t total = 0;
  while (reader.remaining() > 0) {
    const std::uint64_t at = reader.position();
    is_cut_ = reader.remaining() < header_bytes;
    if (is_cut_) break;
    const BlockHeader header = read_block_header(reader);
    const bool follows_short_one = !blocks_.empty() && blocks_.back().size != block_bytes;
    if (!is_sound(header) || follows_short_one) {
      throw unusable(fmt::format(
          "{}: packed block {} at offset {:#x}: expected at most {:#x} bytes packed into no more, "
          "found {:#x} in {:#x}",
          packed_->name(), blocks_.size(), at, block_bytes, header.size, header.packed_size));
    }
    is_cut_ = header.packed_size > reader.remaining();
    if (is_cut_) break;
    blocks_.push_back({reader.position(), header.packed_size, header.size});
    reader.skip(header.packed_size, "a packed block's data");
    total += header.size;
  }
  set_size(total);
}

std::vector<std::byte> PackedMemory::load_block(std::uint64_t index) const {
  std::vector<std::byte> bytes = unpack(index, {});
  if (bytes.empty()) bytes = unpack(index, bytes_before(index));
  tails_.keep(index, bytes);
  return bytes;
}

// Empty if the block refers to more than `before` holds.
std::vector<std::byte> PackedMemory::unpack(std::uint64_t index,
                                            std::span<const std::byte> before) const {
  const Block& block = blocks_[index];
  std::vector<std::byte> packed(block.packed_size);
  packed_->read_at(block.offset, packed);
  if (block.packed_size == block.size) return packed;
  std::vector<std::byte> bytes(block.size);
  // Nothing lies in front of the first block.
  const bool zeros_in_front = index == 0 || !before.empty();
  switch (unpack_fastlz(packed, before, zeros_in_front, bytes)) {
    case FastlzResult::Complete:
      return bytes;
    case FastlzResult::NeedsBefore:
      return {};
    case FastlzResult::Damaged:
      break;
  }
  throw unusable(
      fmt::format("{}: packed block {} at offset {:#x} is damaged", name(), index, block.offset));
}

// What block `index` may refer to: the end of the one before it, which may refer in turn to the one
// before that. Goes back to a block whose end is known or that stands alone, then forward.
std::vector<std::byte> PackedMemory::bytes_before(std::uint64_t index) const {
  std::uint64_t start = index - 1;
  std::vector<std::byte> bytes;
  for (;; --start) {
    if (const auto* known = tails_.find(start)) {
      bytes = *known;
      break;
    }
    bytes = unpack(start, {});
    if (!bytes.empty()) {
      tails_.keep(start, bytes);
      break;
    }
  }
  for (++start; start < index; ++start) {
    bytes = unpack(start, bytes);
    tails_.keep(start, bytes);
  }
  return bytes;
}

}  // namespace photon_dmesg
