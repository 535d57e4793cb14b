#include "kernel/tasks/per_cpu_areas.h"

#include <algorithm>
#include <set>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/memory/page_reads.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

std::uint64_t word_at(std::span<const std::byte> bytes, std::uint64_t place) {
  return load_unsigned(bytes.subspan(place, word));
}

// The areas of the vCPUs that are in the kernel.
std::set<std::uint64_t> known_areas(const KernelImage& image, std::span<const Vcpu> vcpus) {
  std::set<std::uint64_t> areas;
  for (const Vcpu& vcpu : vcpus) {
    const auto base = architecture_of(vcpu.machine).per_cpu_base(vcpu);
    if (base && image.tables().architecture().is_kernel_pointer(base->value)) {
      areas.insert(base->value);
    }
  }
  return areas;
}

// Where in its area a CPU has the area's own address.
std::vector<std::uint64_t> self_places(const KernelMemory& memory, std::uint64_t area) {
  const std::vector<std::byte> bytes = read_per_cpu_area(memory, {area});
  std::vector<std::uint64_t> places;
  constexpr std::size_t most = 16;  // there is one; some others may be pointers to the area too
  for (std::uint64_t place = 0; place + word <= bytes.size() && places.size() < most;
       place += word) {
    if (word_at(bytes, place) == area) places.push_back(place);
  }
  return places;
}

class OffsetSearch {
 public:
  OffsetSearch(const KernelImage& image, std::span<const Vcpu> vcpus)
      : image_(image), known_(known_areas(image, vcpus)), count_(vcpus.size()) {
    if (!known_.empty()) selves_ = self_places(image.memory(), *known_.begin());
  }

  [[nodiscard]] std::vector<std::uint64_t> run() {
    if (selves_.empty()) return {};
    image_.for_each_word([&](GuestVirtual address, std::span<const std::byte> bytes) {
      if (word_at(bytes, 0) == *known_.begin()) look_around(address);
      return found_.size() < 2 && !words_.exceeded();
    });
    return found_.size() == 1 && !words_.exceeded() ? *found_.begin()
                                                    : std::vector<std::uint64_t>();
  }

 private:
  // The array may begin at any of the places that have the word there as one of its elements.
  void look_around(GuestVirtual address) {
    for (std::uint64_t index = 0; index < count_ && words_.take(count_); ++index) {
      const std::vector<std::uint64_t> offsets = read_array(address + (0 - index * word));
      if (is_right(offsets)) found_.insert(offsets);
    }
  }

  [[nodiscard]] std::vector<std::uint64_t> read_array(GuestVirtual begin) const {
    std::vector<std::byte> bytes(count_ * word);
    if (!image_.memory().read(begin, bytes)) return {};
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < count_; ++i) offsets.push_back(word_at(bytes, i * word));
    return offsets;
  }

  [[nodiscard]] bool is_right(const std::vector<std::uint64_t>& offsets) const {
    const std::set<std::uint64_t> different(offsets.begin(), offsets.end());
    if (offsets.empty() || different.size() != offsets.size()) return false;
    if (!std::includes(different.begin(), different.end(), known_.begin(), known_.end())) {
      return false;
    }
    return std::any_of(selves_.begin(), selves_.end(), [&](std::uint64_t self) {
      return std::all_of(offsets.begin(), offsets.end(), [&](std::uint64_t area) {
        return image_.memory().read_unsigned({area + self}, word) == area;
      });
    });
  }

  const KernelImage& image_;
  std::set<std::uint64_t> known_;
  std::uint64_t count_;
  // An honest image has such an address in a few places only.
  Budget words_{"words of arrays of per-CPU areas", std::uint64_t{1} << 25};
  std::vector<std::uint64_t> selves_;
  std::set<std::vector<std::uint64_t>> found_;
};

}  // namespace

std::vector<std::uint64_t> find_per_cpu_offsets(const KernelImage& image,
                                                std::span<const Vcpu> vcpus) {
  return OffsetSearch(image, vcpus).run();
}

std::vector<std::byte> read_per_cpu_area(const KernelMemory& memory, GuestVirtual begin) {
  std::vector<std::byte> bytes(per_cpu_reach);
  read_by_pages(memory, begin, bytes);
  return bytes;
}

}  // namespace photon_dmesg
