#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/memory/array_reader.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/memory/struct_view.h"

namespace photon_dmesg {

// The ring's header: where its three arrays are and what part of them is in use.
struct Ring {
  std::uint64_t descriptor_count = 0;
  GuestVirtual descriptors;
  GuestVirtual infos;
  std::uint64_t head_id = 0;
  std::uint64_t tail_id = 0;
  std::uint64_t data_size = 0;  // bytes
  GuestVirtual data;
  std::uint64_t head_lpos = 0;
  std::uint64_t tail_lpos = 0;
};

// Reads the struct printk_ringbuffer at `address`. Throws Error(UnusableInput) if it can't be read
// or its sizes are not sane; of its ids and positions nothing is checked.
[[nodiscard]] Ring read_ring(const KernelMemory& memory, GuestVirtual address,
                             const RingLayouts& layouts);

// tail_id until the ring's first lap is done (DESC0_ID): no record ever has it.
[[nodiscard]] std::uint64_t first_id(const Ring& ring);

// enum desc_state
enum class DescriptorState { Reserved = 0, Committed = 1, Finalized = 2, Reusable = 3 };

struct Descriptor {
  std::uint64_t id = 0;
  DescriptorState state = DescriptorState::Reserved;
  std::uint64_t begin = 0;  // logical positions of the text block
  std::uint64_t next = 0;

  // Whether a record is stored, as opposed to being written or given up.
  [[nodiscard]] bool is_stored() const {
    return state == DescriptorState::Committed || state == DescriptorState::Finalized;
  }
};

// The descriptors and the infos beside them. An id stands for one record; it has the slot of all
// ids that are the same modulo the number of descriptors.
class DescriptorRing {
 public:
  // `memory` and `layouts` must outlive this.
  DescriptorRing(const KernelMemory& memory, const RingLayouts& layouts, const Ring& ring);

  // How many ids there are from the oldest to the newest.
  [[nodiscard]] std::uint64_t size() const { return distance(ring_.head_id) + 1; }

  // The id that is `distance` behind the oldest.
  [[nodiscard]] std::uint64_t id_at(std::uint64_t distance) const;

  // How far `id` is behind the oldest.
  [[nodiscard]] std::uint64_t distance(std::uint64_t id) const;

  // The same, negative for one that is older.
  [[nodiscard]] std::int64_t signed_distance(std::uint64_t id) const;

  [[nodiscard]] bool same_slot(std::uint64_t id, std::uint64_t other) const {
    return slot_index(id) == slot_index(other);
  }

  // Whether what is in the slot of `id` is its own.
  [[nodiscard]] bool holds(std::uint64_t id);

  [[nodiscard]] bool is_newest(std::uint64_t id) const { return id == ring_.head_id; }

  // What is in the slot of `id`: it may be another id's. Nothing if it can't be read.
  [[nodiscard]] std::optional<Descriptor> read_descriptor(std::uint64_t id);

  // Of that the id and the state alone.
  [[nodiscard]] std::optional<Descriptor> read_state(std::uint64_t id);

  // The struct printk_info in the slot of `id`, valid until the next call; nothing if it can't be
  // read.
  [[nodiscard]] std::optional<StructView> read_info(std::uint64_t id);

  // Of that its sequence number.
  [[nodiscard]] std::optional<std::uint64_t> read_seq(std::uint64_t id);

 private:
  [[nodiscard]] std::uint64_t slot_index(std::uint64_t id) const {
    return id & (ring_.descriptor_count - 1);
  }

  const RingLayouts& layouts_;
  // Of the members those that each descriptor is asked for.
  const MemberLayout& state_;
  const MemberLayout& block_;
  const MemberLayout& begin_;
  const MemberLayout& next_;
  const MemberLayout& seq_;
  Ring ring_;
  ArrayReader descriptors_;
  ArrayReader infos_;
};

}  // namespace photon_dmesg
