#include "kernel/self/printk_ringbuffer_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/little_endian.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/printk/printk_ringbuffer.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = 8;

// The part of every variant's header that differs in nothing: count_bits, two pointers, two ids.
constexpr std::uint64_t head_bytes = 5 * word;
constexpr std::uint64_t fewest_count_bits = 5;
constexpr std::uint64_t most_count_bits = 26;
constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62) - 1;

bool is_word_pointer(const Architecture& architecture, std::uint64_t value) {
  return architecture.is_kernel_pointer(value) && value % word == 0;
}

// One of the words that `bytes` begin with.
std::uint64_t number(std::span<const std::byte> bytes, std::size_t index) {
  return load_unsigned(bytes.subspan(index * word, word));
}

bool looks_like_ring(const Architecture& architecture, std::span<const std::byte> bytes) {
  const std::uint64_t count_bits = number(bytes, 0);  // 4 bytes, then padding
  if (count_bits < fewest_count_bits || count_bits > most_count_bits ||
      !is_word_pointer(architecture, number(bytes, 1)) ||
      !is_word_pointer(architecture, number(bytes, 2))) {
    return false;
  }
  const std::uint64_t head_id = number(bytes, 3);
  const std::uint64_t tail_id = number(bytes, 4);
  const std::uint64_t in_use = (head_id - tail_id) & id_mask;
  return head_id <= id_mask && tail_id <= id_mask && in_use < std::uint64_t{1} << count_bits;
}

// Whether the newest or the oldest id of what looks like a ring may be in its slot, as one of them
// always is: what is mapped and can't be read may hold it. Other things that look like a ring claim
// millions of descriptors and have none.
bool may_hold_ids(const KernelMemory& memory, std::span<const std::byte> bytes) {
  constexpr std::uint64_t descriptor_bytes = 24;  // in every variant, state_var first
  const std::uint64_t slots = std::uint64_t{1} << number(bytes, 0);
  const auto may_hold = [&](std::uint64_t id) {
    const GuestVirtual slot{number(bytes, 1) + (id & (slots - 1)) * descriptor_bytes};
    if (!memory.translate(slot)) return false;
    const std::optional<std::uint64_t> state = memory.read_unsigned(slot, word);
    return !state || (*state & id_mask) == id;
  };
  return may_hold(number(bytes, 3)) || may_hold(number(bytes, 4));
}

struct Candidate {
  GuestVirtual ring;
  RingWindow window;
};

std::vector<Candidate> find_candidates(const KernelImage& image, Diagnostics& diagnostics) {
  constexpr std::uint64_t header = 1024;  // even if it makes no sense, it takes as much as these
  const Architecture& architecture = image.memory().tables().architecture();
  std::vector<Candidate> candidates;
  Budget budget = ring_budget();
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (bytes.size() < head_bytes || !looks_like_ring(architecture, bytes.first(head_bytes)))
      return true;
    if (!budget.take(header)) return false;
    if (!may_hold_ids(image.memory(), bytes)) return true;
    const RingWindow window = find_ring_window(image.memory(), address, budget);
    if (window.records > 0) candidates.push_back({address, window});
    return !budget.exceeded();
  };
  image.for_each_word(visit);
  budget.warn_if_exceeded("the guest's memory", diagnostics);
  return candidates;
}

// Of the candidates that a variable points to each one's first such.
std::map<GuestVirtual, GuestVirtual> find_pointers(const KernelImage& image,
                                                   const std::vector<Candidate>& candidates) {
  std::set<GuestVirtual> rings;
  for (const Candidate& candidate : candidates) rings.insert(candidate.ring);
  std::map<GuestVirtual, GuestVirtual> pointers;
  if (rings.empty()) return pointers;
  image.for_each_word([&](GuestVirtual address, std::span<const std::byte> bytes) {
    const GuestVirtual target{load_unsigned(bytes.first(word))};
    if (target < *rings.begin() || target > *rings.rbegin()) return true;  // as most are
    if (rings.contains(target)) pointers.emplace(target, address);
    return pointers.size() < rings.size();
  });
  return pointers;
}

}  // namespace

std::optional<FoundRing> find_ring(const KernelImage& image, Diagnostics& diagnostics) {
  std::vector<Candidate> candidates = find_candidates(image, diagnostics);
  // The newest record first; of rings that both have it, the kernel has just moved its log from
  // one to the other, and the larger one is in use.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.window.last_seq, a.window.records) >
           std::tie(b.window.last_seq, b.window.records);
  });
  const std::map<GuestVirtual, GuestVirtual> pointers = find_pointers(image, candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    diagnostics.found(
        {.what = "printk_ringbuffer at",
         .value = fmt::format("{}", candidate.ring),
         .how = fmt::format("by its form: {} records in their place", candidate.window.records)});
    const auto pointer = pointers.find(candidate.ring);
    if (pointer != pointers.end()) {
      FoundRing found{candidate.ring, pointer->second, std::nullopt};
      if (i + 1 < candidates.size()) found.replaced = candidates[i + 1].ring;
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
