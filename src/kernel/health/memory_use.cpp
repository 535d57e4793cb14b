#include "kernel/health/memory_use.h"

#include <string_view>

#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t word = sizeof(std::uint64_t);
constexpr std::size_t longest_name = 32;

std::optional<std::string> text_at(const KernelMemory& memory, std::optional<GuestVirtual> at) {
  return at ? memory.read_text(*at, longest_name) : std::nullopt;
}

// The number of the event OOM_KILL. Which events there are depends on the configuration; their
// names for /proc/vmstat stand in the same order behind those of other counters.
std::optional<std::uint64_t> oom_kill_event(const GuestKernel& kernel) {
  constexpr std::uint64_t most_names = 512;
  const auto names = kernel.find_address("vmstat_text");
  std::optional<std::uint64_t> first;
  for (std::uint64_t i = 0; names && i < most_names; ++i) {
    const auto name = text_at(kernel.memory(), read_pointer(kernel.memory(), *names + i * word));
    if (!name) return std::nullopt;
    if (*name == "pgpgin") first = i;
    if (*name == "oom_kill" && first) return i - *first;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> count_oom_kills(const GuestKernel& kernel, const Cpus& cpus) {
  const auto event = oom_kill_event(kernel);
  if (!event) return std::nullopt;
  std::optional<std::uint64_t> sum;
  for (const Cpu& cpu : cpus.all()) {
    const auto events = cpus.variable(cpu, "vm_event_states");
    const auto count =
        events ? kernel.memory().read_unsigned(*events + *event * word, word) : std::nullopt;
    // A CPU that went away has handed its counts to another: each alone may be negative.
    if (count) sum = sum.value_or(0) + *count;
  }
  return sum;
}

// Reads the zones of one node.
class ZoneReader {
 public:
  ZoneReader(const GuestKernel& kernel, const KernelTypes& types)
      : memory_(kernel.memory()),
        zones_(types.find("pglist_data.node_zones")),
        size_(types.size_of("zone")),
        name_(types.find("zone.name")),
        managed_(types.find("zone.managed_pages")),
        counters_(types.find("zone.vm_stat")),
        watermarks_(types.find_any({"zone._watermark", "zone.watermark"})),
        reserves_(types.find("zone.lowmem_reserve")),
        count_(types.find("pglist_data.nr_zones")) {}

  void read(GuestVirtual node, std::vector<MemoryZone>& zones) const {
    constexpr std::uint64_t most = 8;  // MAX_NR_ZONES
    const auto count = read_number(memory_, node, count_);
    if (!zones_ || !size_ || !count || *count > most) return;
    const auto at = [&](std::uint64_t i) { return node + zones_->offset + i * *size_; };
    std::uint64_t highest = *count;
    while (highest > 0 && read_number(memory_, at(highest - 1), managed_).value_or(0) == 0) {
      --highest;
    }
    for (std::uint64_t i = 0; i < highest; ++i) {
      if (auto zone = read_zone(at(i), highest - 1)) zones.push_back(std::move(*zone));
    }
  }

 private:
  // Nothing of one without pages. `highest`: the number of the last zone that has some.
  [[nodiscard]] std::optional<MemoryZone> read_zone(GuestVirtual at, std::uint64_t highest) const {
    const auto managed = read_number(memory_, at, managed_);
    const auto name = text_at(memory_, read_pointer(memory_, at, name_));
    if (!managed || *managed == 0 || !name || !counters_ || !watermarks_) return std::nullopt;
    MemoryZone zone{*name, *managed, 0, {}, read_reserve(at, highest)};
    const auto free_pages = memory_.read_unsigned(at + counters_->offset, word);  // NR_FREE_PAGES
    if (!free_pages) return std::nullopt;
    zone.free_pages = *free_pages;
    for (std::size_t i = 0; i < zone.watermarks.size(); ++i) {
      const auto pages = memory_.read_unsigned(at + watermarks_->offset + i * word, word);
      if (!pages) return std::nullopt;
      zone.watermarks[i] = *pages;
    }
    return zone;
  }

  // lowmem_reserve[i]: of a page that could have come from zone `i` as well.
  [[nodiscard]] std::uint64_t read_reserve(GuestVirtual at, std::uint64_t i) const {
    if (!reserves_ || i >= reserves_->size / word) return 0;
    return memory_.read_unsigned(at + reserves_->offset + i * word, word).value_or(0);
  }

  const KernelMemory& memory_;
  std::optional<Field> zones_;
  std::optional<std::uint64_t> size_;
  std::optional<Field> name_;
  std::optional<Field> managed_;
  std::optional<Field> counters_;
  std::optional<Field> watermarks_;
  std::optional<Field> reserves_;
  std::optional<Field> count_;
};

std::vector<MemoryZone> read_zones(const GuestKernel& kernel, const KernelTypes& types) {
  constexpr std::uint64_t most_nodes = 1024;  // MAX_NUMNODES
  const ZoneReader reader(kernel, types);
  std::vector<MemoryZone> zones;
  if (const auto only = kernel.find_address("contig_page_data")) {  // without CONFIG_NUMA
    reader.read(*only, zones);
    return zones;
  }
  const auto nodes = kernel.find_address("node_data");
  for (std::uint64_t i = 0; nodes && i < most_nodes; ++i) {
    const auto node = read_pointer(kernel.memory(), *nodes + i * word);
    if (!node) break;
    reader.read(*node, zones);
  }
  return zones;
}

std::optional<std::array<std::uint64_t, 3>> read_load(const GuestKernel& kernel) {
  const auto at = kernel.find_address("avenrun");
  std::array<std::uint64_t, 3> load{};
  for (std::size_t i = 0; i < load.size(); ++i) {
    const auto value = at ? kernel.memory().read_unsigned(*at + i * word, word) : std::nullopt;
    if (!value) return std::nullopt;
    load[i] = *value;
  }
  return load;
}

std::optional<Reading> read_free_pages(const GuestKernel& kernel) {
  // The first counter of all, NR_FREE_PAGES; vm_stat until 4.7.
  auto pages = read_variable(kernel, "vm_zone_stat", word);
  if (!pages) pages = read_variable(kernel, "vm_stat", word);
  return pages;
}

}  // namespace

MemoryUse read_memory_use(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus) {
  MemoryUse use;
  use.page_bytes = std::uint64_t{1} << kernel.memory().tables().form().page_shift;
  use.total_pages = read_variable(kernel, "_totalram_pages", word);  // 5.0 and later
  if (!use.total_pages) use.total_pages = read_variable(kernel, "totalram_pages", word);
  use.free_pages = read_free_pages(kernel);
  use.zones = read_zones(kernel, types);
  use.oom_kills = count_oom_kills(kernel, cpus);
  use.load = read_load(kernel);
  return use;
}

}  // namespace photon_dmesg
