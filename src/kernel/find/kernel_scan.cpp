#include "kernel/find/kernel_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/banner_scan.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page = 4096;

// By how much an image page's physical address is less than its virtual one; nothing if `address`
// is in none. Adds to `steps` what that took.
std::optional<std::uint64_t> find_shift(const PageTables& tables, GuestPhysical address,
                                        Budget& budget, std::uint64_t& steps) {
  std::optional<std::uint64_t> shift;
  const auto [image_begin, image_end] = tables.architecture().image_range(tables, budget);
  tables.for_each_page(image_begin, image_end, [&](const PageTables::Page& page) {
    ++steps;
    if (address - page.physical_address < page.size) {
      shift = page.virtual_address.value - page.physical_address.value;
    }
  });
  return shift;
}

// Whether the variables in `image` point into it, as those of any kernel do once it has been moved
// to where it runs.
bool points_into_itself(const KernelImage& image) {
  constexpr unsigned enough = 256;  // a kernel has some ten thousand; another place has none
  unsigned found = 0;
  const Architecture::Range range = image.range();
  image.for_each_word([&](GuestVirtual /*address*/, std::span<const std::byte> bytes) {
    const std::uint64_t value = load_unsigned(bytes.first(sizeof(std::uint64_t)));
    if (value >= range.begin.value && value < range.end.value) ++found;
    return found < enough;
  });
  return found == enough;
}

// Memory of which a piece is read as a whole, as all of it is asked for, a few bytes at a time.
class PieceOfMemory final : public GuestMemory {
 public:
  explicit PieceOfMemory(const GuestMemory& memory) : memory_(memory) {}

  // From `begin` on.
  void move_to(GuestPhysical begin) {
    begin_ = begin;
    bytes_.resize(piece);
    if (!memory_.read(begin, bytes_)) bytes_.clear();
  }
  [[nodiscard]] bool holds(GuestPhysical address) const { return address - begin_ < piece; }

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const std::uint64_t offset = address - begin_;
    if (offset >= bytes_.size() || target.size() > bytes_.size() - offset) {
      return memory_.read(address, target);
    }
    std::memcpy(target.data(), bytes_.data() + offset, target.size());
    return true;
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return memory_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }

 private:
  static constexpr std::size_t piece = 256 * 1024;

  const GuestMemory& memory_;
  GuestPhysical begin_;
  std::vector<std::byte> bytes_;  // from there on; empty if some can't be read
};

// The page tables that lie near banners: an image holds those that it runs with, at most this far
// from its banner. Banners are asked for ascending, so that what lies near several of them is
// looked at once.
class OwnTables {
 public:
  OwnTables(const GuestMemory& memory, BannerBudget& budget)
      : memory_(memory), piece_(memory), budget_(budget) {}

  // The kernel with its banner there, by the tables that it runs with: a part of the image, they
  // map themselves and the banner, both moved by the same distance, as they do all of it. Where an
  // image has other tables that do as much, its variables must point into it too. Nothing if there
  // is none, or once has_given_up().
  std::optional<RunningKernel> find(GuestPhysical banner, Diagnostics& diagnostics) {
    const std::uint64_t first = banner.value - std::min(banner.value, reach);
    const std::uint64_t end = banner.value + reach;
    std::erase_if(candidates_, [&](const Candidate& candidate) {
      return candidate.tables.root().value < first;
    });
    looked_until_ = std::max(looked_until_, first / page * page);
    // No further than there is need to.
    for (std::size_t i = 0;; ++i) {
      while (i == candidates_.size() && looked_until_ < end) look_at_next_page();
      if (i == candidates_.size() || !budget_.steps.take()) return std::nullopt;
      if (std::optional<RunningKernel> kernel = try_at(candidates_[i], banner, diagnostics)) {
        return kernel;
      }
      if (budget_.bytes.exceeded()) return std::nullopt;
    }
  }

  // Whether it took more than any kernel's tables do.
  [[nodiscard]] bool has_given_up() const { return budget_.is_exceeded(); }
  void warn_if_given_up(Diagnostics& diagnostics) const {
    budget_.warn_if_exceeded(memory_.name(), diagnostics);
  }

 private:
  static constexpr std::uint64_t reach = 64 * 1024 * 1024;
  static constexpr std::uint64_t most_tables = 512;  // that lead to an image, read for each root

  // Tables that map themselves, and by how much these are moved.
  struct Candidate {
    PageTables tables;
    std::uint64_t shift = 0;
    bool is_read = false;  // its image, which is no kernel's
  };

  static bool maps(const Candidate& candidate, GuestPhysical banner) {
    const GuestVirtual address{banner.value + candidate.shift};
    const auto mapped = candidate.tables.find(address);
    return candidate.tables.architecture().is_image_address(address) && mapped &&
           mapped->physical_address + (address - mapped->virtual_address) == banner;
  }

  std::optional<RunningKernel> try_at(Candidate& candidate, GuestPhysical banner,
                                      Diagnostics& diagnostics) {
    if (candidate.is_read || !maps(candidate, banner)) return std::nullopt;
    candidate.is_read = true;  // whichever banner leads to it, its image is the same
    auto image = std::make_shared<const KernelImage>(memory_, candidate.tables);
    if (!budget_.bytes.take(image->budget().taken())) return std::nullopt;
    const bool is_plain = !candidate.tables.architecture().map().image_has_other_tables;
    if (!is_plain && !points_into_itself(*image)) return std::nullopt;
    auto found = find_banners(*image, BannerExtent::UpToBuildNumber, diagnostics);
    if (found.empty()) return std::nullopt;
    return RunningKernel{std::move(found), std::move(image), std::nullopt, {}};
  }

  void look_at_next_page() {
    const GuestPhysical root{looked_until_};
    looked_until_ += page;
    if (!piece_.holds(root)) piece_.move_to(root);
    look_for_tables(root);
  }

  void look_for_tables(GuestPhysical root) {
    for (const Architecture* architecture : architectures()) {
      if (architecture->possible_kernel_tables(piece_, root).empty()) continue;
      for (const PageTables& tables : architecture->possible_kernel_tables(memory_, root)) {
        look_at(tables);
      }
    }
  }

  void look_at(const PageTables& tables) {
    if (budget_.steps.exceeded()) return;
    std::uint64_t steps = most_tables;
    const std::optional<std::uint64_t> shift =
        find_shift(tables, tables.root(), budget_.steps, steps);
    if (budget_.steps.take(steps) && shift) candidates_.push_back({tables, *shift, false});
  }

  const GuestMemory& memory_;
  PieceOfMemory piece_;
  BannerBudget& budget_;
  std::uint64_t looked_until_ = 0;
  std::vector<Candidate> candidates_;  // ascending, from `reach` before the banner on
};

std::optional<RunningKernel> find_first(OwnTables& own_tables, const GuestMemory& memory,
                                        const std::vector<GuestPhysical>& banners,
                                        Diagnostics& diagnostics) {
  for (const GuestPhysical banner : banners) {
    std::optional<RunningKernel> kernel = own_tables.find(banner, diagnostics);
    if (own_tables.has_given_up()) break;
    if (!kernel) {
      diagnostics.found({.what = "no page tables",
                         .where = fmt::format("banner at physical {}", banner),
                         .how = "none near it map it in a kernel's image"});
      continue;
    }
    diagnostics.found({.what = "page tables at",
                       .value = fmt::format("{}", kernel->tables().root()),
                       .where = fmt::format("banner at physical {}", banner),
                       .how = fmt::format("{}-level, they map it", kernel->tables().levels())});
    kernel->image->budget().warn_if_exceeded(memory.name(), diagnostics);
    warn_of_search(banner, diagnostics);
    return kernel;
  }
  return std::nullopt;
}

}  // namespace

std::optional<RunningKernel> scan_for_kernel(const GuestMemory& memory, Diagnostics& diagnostics) {
  // Enough that all processors have work, and little of a large memory.
  constexpr std::uint64_t at_once = 256 * 1024 * 1024;
  BannerScan scan(memory);
  BannerBudget budget;
  OwnTables own_tables(memory, budget);
  std::optional<RunningKernel> kernel;
  while (!kernel && !scan.is_done() && !own_tables.has_given_up()) {
    kernel = find_first(own_tables, memory, scan.next(at_once, diagnostics), diagnostics);
  }
  scan.warn_if_exceeded(diagnostics);
  if (!kernel) own_tables.warn_if_given_up(diagnostics);
  return kernel;
}

std::optional<RunningKernel> find_banner_kernel(const GuestMemory& memory,
                                                const std::vector<GuestPhysical>& banners,
                                                BannerBudget& budget, Diagnostics& diagnostics) {
  OwnTables own_tables(memory, budget);
  std::optional<RunningKernel> kernel = find_first(own_tables, memory, banners, diagnostics);
  if (!kernel) own_tables.warn_if_given_up(diagnostics);
  return kernel;
}

bool uses_end_of_memory(const RunningKernel& kernel, const GuestMemory& memory) {
  if (memory.ranges().empty()) return false;
  // Firmware keeps some of the end for itself.
  constexpr std::uint64_t reach = 64 * 1024 * 1024;
  const PhysicalRange& last = memory.ranges().back();
  const GuestPhysical end = last.begin + last.size;
  const GuestPhysical begin =
      end.value - last.begin.value > reach ? GuestPhysical{end.value - reach} : last.begin;
  bool found = false;
  const auto& [map_begin, map_end] = kernel.tables().architecture().map().direct_map;
  kernel.tables().for_each_page(map_begin, map_end, [&](const PageTables::Page& page) {
    const GuestPhysical page_end = page.physical_address + page.size;
    found |= page.physical_address < end && begin < page_end;
  });
  return found;
}

}  // namespace photon_dmesg
