#include "kernel/self/printk_ringbuffer_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

bool is_word_pointer(const Architecture& architecture, std::uint64_t value) {
  return architecture.is_kernel_pointer(value) && value % word == 0;
}

bool looks_like_ring(const Architecture& architecture, std::span<const std::byte> bytes) {
  const auto number = [&](std::size_t index) {
    return load_unsigned(bytes.subspan(index * word, word));
  };
  const std::uint64_t count_bits = number(0);  // 4 bytes, then padding
  if (count_bits < fewest_count_bits || count_bits > most_count_bits ||
      !is_word_pointer(architecture, number(1)) || !is_word_pointer(architecture, number(2))) {
    return false;
  }
  constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62) - 1;
  const std::uint64_t in_use = (number(3) - number(4)) & id_mask;
  return number(3) <= id_mask && number(4) <= id_mask && in_use < std::uint64_t{1} << count_bits;
}

struct Candidate {
  GuestVirtual ring;
  RingWindow window;
};

std::vector<Candidate> find_candidates(const KernelImage& image) {
  const Architecture& architecture = image.memory().tables().architecture();
  std::vector<Candidate> candidates;
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (bytes.size() < head_bytes || !looks_like_ring(architecture, bytes.first(head_bytes)))
      return true;
    const RingWindow window = find_ring_window(image.memory(), address);
    if (window.records > 0) candidates.push_back({address, window});
    return true;
  };
  image.for_each_word(visit);
  return candidates;
}

std::optional<GuestVirtual> find_pointer(const KernelImage& image, GuestVirtual target) {
  std::optional<GuestVirtual> found;
  const auto visit = [&](GuestVirtual address, std::span<const std::byte> bytes) {
    if (load_unsigned(bytes.first(word)) == target.value) found = address;
    return !found;
  };
  image.for_each_word(visit);
  return found;
}

}  // namespace

std::optional<FoundRing> find_ring(const KernelImage& image, Diagnostics& diagnostics) {
  std::vector<Candidate> candidates = find_candidates(image);
  // The newest record first; of rings that both have it, the kernel has just moved its log from
  // one to the other, and the larger one is in use.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.window.last_seq, a.window.records) >
           std::tie(b.window.last_seq, b.window.records);
  });
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    diagnostics.found(
        {.what = "printk_ringbuffer at",
         .value = fmt::format("{}", candidate.ring),
         .how = fmt::format("by its form: {} records in their place", candidate.window.records)});
    if (const auto pointer = find_pointer(image, candidate.ring)) {
      FoundRing found{candidate.ring, *pointer, std::nullopt};
      if (i + 1 < candidates.size()) found.replaced = candidates[i + 1].ring;
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
