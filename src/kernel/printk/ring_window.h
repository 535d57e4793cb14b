#pragma once

#include <cstdint>

#include "kernel/printk/ring_descriptors.h"

namespace photon_dmesg {

// Whether a record can have that number: no kernel comes near 2^63.
[[nodiscard]] constexpr bool is_sequence_number(std::uint64_t number) {
  return number >> 63 == 0;
}

// Which part of a ring is in use. The header says so with two ids; the descriptors say it too, as
// ids and sequence numbers advance together and a slot outside of the part in use never holds a
// stored record (the kernel makes a descriptor reusable before it moves tail_id past it). One
// damaged bit in the header would cost up to the whole log.
struct RingWindow {
  std::uint64_t tail_id = 0;
  std::uint64_t head_id = 0;
  std::uint64_t first_seq = 0;  // of tail_id
  std::uint64_t records = 0;    // stored between them, with the number that their place says
  std::uint64_t last_seq = 0;   // of these
  bool unanimous = false;       // no other record is stored, in any slot
};

// The header's ids where the descriptors agree with them, else those of the oldest and the newest
// record that are in their place. Without any such record, the header's.
[[nodiscard]] RingWindow find_window(DescriptorRing& descriptors, const Ring& ring);

}  // namespace photon_dmesg
