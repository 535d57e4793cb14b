#include "kernel/printk/ring_descriptors.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// A descriptor's state_var: two bits of state above 62 bits of id.
constexpr unsigned state_shift = 62;
constexpr std::uint64_t id_mask = (std::uint64_t{1} << state_shift) - 1;

// log_buf_len is at most 1 << 31 (LOG_BUF_LEN_MAX), a descriptor stands for 32 bytes of text.
constexpr std::uint64_t largest_size_bits = 31;
constexpr std::uint64_t largest_count_bits = 26;

std::uint64_t ring_size(std::uint64_t bits, std::uint64_t largest, const char* what) {
  if (bits == 0 || bits > largest) {
    throw unusable(
        fmt::format("printk_ringbuffer: expected {} of 1 to {}, found {}", what, largest, bits));
  }
  return std::uint64_t{1} << bits;
}

std::vector<std::byte> read_struct(const KernelMemory& memory, GuestVirtual address,
                                   const StructLayout& layout) {
  std::vector<std::byte> bytes(layout.size());
  if (!memory.read(address, bytes)) {
    throw unusable(fmt::format("the guest's memory at {} (struct {}) can't be read: not mapped",
                               address, layout.name()));
  }
  return bytes;
}

}  // namespace

Ring read_ring(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts) {
  Ring ring;
  const std::vector<std::byte> bytes = read_struct(memory, address, layouts.ring);
  const StructView header(layouts.ring, bytes);
  const StructView descriptors = header.nested("desc_ring", layouts.descriptor_ring);
  const StructView data = header.nested("text_data_ring", layouts.data_ring);
  ring.descriptor_count =
      ring_size(descriptors.number("count_bits"), largest_count_bits, "count_bits");
  ring.descriptors = {descriptors.number("descs")};
  ring.infos = {descriptors.number("infos")};
  ring.head_id = descriptors.number("head_id") & id_mask;
  ring.tail_id = descriptors.number("tail_id") & id_mask;
  ring.data_size = ring_size(data.number("size_bits"), largest_size_bits, "size_bits");
  ring.data = {data.number("data")};
  // A descriptor stands for 32 bytes of text (PRB_AVGBITS), so there are fewer of them than bytes.
  const std::uint64_t most = memory.ram_size() / layouts.descriptor.size();
  if (ring.descriptor_count > std::min(most, ring.data_size)) {
    throw unusable(
        fmt::format("printk_ringbuffer: expected as many descriptors as {} bytes of text and the "
                    "guest's {} bytes of memory can have, found {}",
                    ring.data_size, memory.ram_size(), ring.descriptor_count));
  }
  ring.head_lpos = data.number("head_lpos");
  ring.tail_lpos = data.number("tail_lpos");
  return ring;
}

std::uint64_t first_id(const Ring& ring) {
  // Computed in 32 bits, as _DESCS_COUNT() is an unsigned int.
  return static_cast<std::uint32_t>(0 - (ring.descriptor_count + 1));
}

DescriptorRing::DescriptorRing(const KernelMemory& memory, const RingLayouts& layouts,
                               const Ring& ring)
    : layouts_(layouts),
      state_(layouts.descriptor.member("state_var")),
      block_(layouts.descriptor.member("text_blk_lpos")),
      begin_(layouts.block.member("begin")),
      next_(layouts.block.member("next")),
      seq_(layouts.info.member("seq")),
      ring_(ring),
      descriptors_(memory, ring.descriptors, ring.descriptor_count, layouts.descriptor.size()),
      infos_(memory, ring.infos, ring.descriptor_count, layouts.info.size()) {}

std::uint64_t DescriptorRing::id_at(std::uint64_t distance) const {
  return (ring_.tail_id + distance) & id_mask;
}

std::uint64_t DescriptorRing::distance(std::uint64_t id) const {
  return (id - ring_.tail_id) & id_mask;
}

std::int64_t DescriptorRing::signed_distance(std::uint64_t id) const {
  constexpr unsigned state_bits = 64 - state_shift;
  return static_cast<std::int64_t>((id - ring_.tail_id) << state_bits) >> state_bits;
}

bool DescriptorRing::holds(std::uint64_t id) {
  const std::optional<Descriptor> descriptor = read_state(id);
  return descriptor && descriptor->id == id;
}

std::optional<Descriptor> DescriptorRing::read_state(std::uint64_t id) {
  const auto bytes = descriptors_.element(slot_index(id));
  if (!bytes) return std::nullopt;
  const std::uint64_t state = StructView(layouts_.descriptor, *bytes).number(state_);
  return Descriptor{state & id_mask, static_cast<DescriptorState>(state >> state_shift), 0, 0};
}

std::optional<Descriptor> DescriptorRing::read_descriptor(std::uint64_t id) {
  std::optional<Descriptor> descriptor = read_state(id);
  if (!descriptor) return std::nullopt;
  const StructView view(layouts_.descriptor, *descriptors_.element(slot_index(id)));
  const StructView block = view.nested(block_, layouts_.block);
  descriptor->begin = block.number(begin_);
  descriptor->next = block.number(next_);
  return descriptor;
}

std::optional<StructView> DescriptorRing::read_info(std::uint64_t id) {
  const auto bytes = infos_.element(slot_index(id));
  if (!bytes) return std::nullopt;
  return StructView(layouts_.info, *bytes);
}

std::optional<std::uint64_t> DescriptorRing::read_seq(std::uint64_t id) {
  const std::optional<StructView> info = read_info(id);
  if (!info) return std::nullopt;
  return info->number(seq_);
}

}  // namespace photon_dmesg
