#include "kernel/ring_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/little_endian.h"
#include "kernel/image_words.h"
#include "kernel/printk_ringbuffer.h"
#include "kernel/x86_64.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = 8;

// The part of every variant's header that differs in nothing: count_bits, two pointers, two ids.
constexpr std::uint64_t head_bytes = 5 * word;
constexpr std::uint64_t fewest_count_bits = 5;
constexpr std::uint64_t most_count_bits = 26;

bool is_word_pointer(std::uint64_t value) {
  return x86_64::is_kernel_pointer(value) && value % word == 0;
}

bool looks_like_ring(std::span<const std::byte> bytes) {
  const auto number = [&](std::size_t index) {
    return load_unsigned(bytes.subspan(index * word, word));
  };
  const std::uint64_t count_bits = number(0);  // 4 bytes, then padding
  if (count_bits < fewest_count_bits || count_bits > most_count_bits ||
      !is_word_pointer(number(1)) || !is_word_pointer(number(2))) {
    return false;
  }
  constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62) - 1;
  const std::uint64_t in_use = (number(3) - number(4)) & id_mask;
  return number(3) <= id_mask && number(4) <= id_mask && in_use < std::uint64_t{1} << count_bits;
}

struct Candidate {
  GuestVirtual ring;
  std::uint64_t records = 0;
};

std::vector<Candidate> find_candidates(const KernelMemory& memory, const ImageRanges& image) {
  std::vector<Candidate> candidates;
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (bytes.size() < head_bytes || !looks_like_ring(bytes.first(head_bytes))) return;
    const std::uint64_t records = count_ring_records(memory, address);
    if (records > 0) candidates.push_back({address, records});
  };
  for_each_word(memory, image, visit);
  return candidates;
}

std::optional<GuestVirtual> find_pointer(const KernelMemory& memory, const ImageRanges& image,
                                         GuestVirtual target) {
  std::optional<GuestVirtual> found;
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (!found && load_unsigned(bytes.first(word)) == target.value) found = address;
  };
  for_each_word(memory, image, visit);
  return found;
}

}  // namespace

std::optional<FoundRing> find_ring(const KernelMemory& memory, const ImageRanges& image,
                                   Diagnostics& diagnostics) {
  std::vector<Candidate> candidates = find_candidates(memory, image);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.records > b.records; });
  for (const Candidate& candidate : candidates) {
    diagnostics.note(fmt::format("printk_ringbuffer by its form at {}: {} records in their place",
                                 candidate.ring, candidate.records));
    if (const auto pointer = find_pointer(memory, image, candidate.ring)) {
      return FoundRing{candidate.ring, *pointer};
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
