#include "kernel/printk/ring_window.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace photon_dmesg {
namespace {

// A stored record: how far its id is from the header's tail_id, negative before it, and the number
// that tail_id then has.
struct Vote {
  std::int64_t distance = 0;
  std::uint64_t first_seq = 0;
};

// The records that agree on the number of tail_id.
struct Agreement {
  std::uint64_t votes = 0;  // all of them
  std::uint64_t first_seq = 0;
  std::uint64_t records = 0;
  std::int64_t oldest = std::numeric_limits<std::int64_t>::max();
  std::int64_t newest = std::numeric_limits<std::int64_t>::min();
  bool unanimous = true;  // and nothing is stored that could not vote

  void count(const Vote& vote) {
    ++records;
    oldest = std::min(oldest, vote.distance);
    newest = std::max(newest, vote.distance);
  }
};

// Nothing if no record is stored in the slot.
std::optional<Descriptor> read_stored(DescriptorRing& descriptors, std::uint64_t slot) {
  const std::optional<Descriptor> descriptor = descriptors.read_state(slot);
  return descriptor && descriptor->is_stored() ? descriptor : std::nullopt;
}

// Nothing if what is stored in the slot is another slot's, or has no number.
std::optional<Vote> read_vote(DescriptorRing& descriptors, const Descriptor& stored,
                              std::uint64_t slot) {
  if (!descriptors.same_slot(stored.id, slot)) return std::nullopt;
  const std::optional<std::uint64_t> seq = descriptors.read_seq(slot);
  if (!seq || !is_sequence_number(*seq)) return std::nullopt;
  const std::int64_t distance = descriptors.signed_distance(stored.id);
  return Vote{distance, *seq - static_cast<std::uint64_t>(distance)};
}

// The majority decides (Boyer and Moore's vote): one damaged number can't spoil the others.
Agreement vote(DescriptorRing& descriptors, std::uint64_t slots) {
  Agreement agreement;
  std::uint64_t lead = 0;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const std::optional<Descriptor> stored = read_stored(descriptors, slot);
    if (!stored) continue;
    const std::optional<Vote> one = read_vote(descriptors, *stored, slot);
    if (!one) {
      agreement.unanimous = false;
      continue;
    }
    ++agreement.votes;
    if (lead == 0) agreement.first_seq = one->first_seq;
    if (one->first_seq == agreement.first_seq) {
      ++lead;
      agreement.count(*one);
    } else {
      --lead;
      agreement.unanimous = false;
    }
  }
  return agreement;
}

// Of those who voted otherwise for a while, some may have been counted and others not.
Agreement count_again(DescriptorRing& descriptors, std::uint64_t slots, std::uint64_t first_seq) {
  Agreement agreement;
  agreement.first_seq = first_seq;
  agreement.unanimous = false;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    const std::optional<Descriptor> stored = read_stored(descriptors, slot);
    if (!stored) continue;
    const std::optional<Vote> one = read_vote(descriptors, *stored, slot);
    if (!one) continue;
    ++agreement.votes;
    if (one->first_seq == first_seq) agreement.count(*one);
  }
  return agreement;
}

// What most agree on, as far as that is more than chance. Until the ring's first lap is done the
// number of tail_id is known: it is the one before 0.
Agreement agree(DescriptorRing& descriptors, const Ring& ring) {
  constexpr std::uint64_t fewest = 8;  // of so many one at least
  const std::uint64_t slots = ring.descriptor_count;
  Agreement found = vote(descriptors, slots);
  if (!found.unanimous) found = count_again(descriptors, slots, found.first_seq);
  if (found.records * fewest >= found.votes) return found;
  constexpr std::uint64_t before_zero = ~std::uint64_t{0};
  if (ring.tail_id == first_id(ring)) return count_again(descriptors, slots, before_zero);
  return {};
}

// Whether the header's newest id can be: behind the newest stored record there are only those that
// are being written. Each of these has its slot already, but for the moment between two stores.
bool is_head(DescriptorRing& descriptors, std::int64_t newest, std::int64_t head) {
  constexpr int most_between_stores = 8;
  if (head < newest) return false;
  int missing = 0;
  for (std::int64_t at = newest + 1; at <= head && missing <= most_between_stores; ++at) {
    if (!descriptors.holds(descriptors.id_at(static_cast<std::uint64_t>(at)))) ++missing;
  }
  return missing <= most_between_stores;
}

// Whether the header's oldest id can be: it is in its slot, or only that descriptor is damaged, as
// the ring is full, which it is from its first lap's end on.
bool is_tail(DescriptorRing& descriptors, const Ring& ring, std::int64_t oldest,
             std::int64_t head) {
  const auto size = static_cast<std::uint64_t>(head) + 1;
  if (oldest < 0 || size > ring.descriptor_count) return false;
  return descriptors.holds(ring.tail_id) || size + 1 >= ring.descriptor_count ||
         ring.tail_id == first_id(ring);
}

}  // namespace

RingWindow find_window(DescriptorRing& descriptors, const Ring& ring) {
  const std::uint64_t slots = ring.descriptor_count;
  const Agreement found = agree(descriptors, ring);
  RingWindow window{ring.tail_id, ring.head_id, found.first_seq, found.records, 0, false};
  if (found.records == 0) return window;
  window.unanimous = found.unanimous;
  window.last_seq = found.first_seq + static_cast<std::uint64_t>(found.newest);
  std::int64_t head = descriptors.signed_distance(ring.head_id);
  if (head - found.newest >= static_cast<std::int64_t>(slots) ||
      !is_head(descriptors, found.newest, head)) {
    head = found.newest;
    window.head_id = descriptors.id_at(static_cast<std::uint64_t>(head));
  }
  if (!is_tail(descriptors, ring, found.oldest, head)) {
    // No more than one lap, whatever the damage.
    const std::int64_t oldest =
        std::max(found.oldest, found.newest + 1 - static_cast<std::int64_t>(slots));
    window.tail_id = descriptors.id_at(static_cast<std::uint64_t>(oldest));
    window.first_seq += static_cast<std::uint64_t>(oldest);
  }
  return window;
}

}  // namespace photon_dmesg
