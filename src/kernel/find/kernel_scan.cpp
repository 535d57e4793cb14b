#include "kernel/find/kernel_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page = 4096;

// A piece of memory that one thread looks through at a time, and how much of it is read at once: a
// processor's own cache has that still when it has been read.
constexpr std::uint64_t piece_bytes = 4 * 1024 * 1024;
constexpr std::uint64_t step_bytes = 256 * 1024;

// A kernel has one or two, and files in the guest's cache may have some; no more of a piece are
// looked at.
constexpr std::uint64_t most_banners_in_piece = 256;

std::vector<PhysicalRange> cut_into_pieces(const std::vector<PhysicalRange>& ranges) {
  std::vector<PhysicalRange> pieces;
  for (const PhysicalRange& range : ranges) {
    for (std::uint64_t at = 0; at < range.size; at += piece_bytes) {
      // They overlap by a banner, so that none is cut.
      pieces.push_back({range.begin + at, std::min<std::uint64_t>(piece_bytes + banner_bytes_limit,
                                                                  range.size - at)});
    }
  }
  return pieces;
}

// Whether a sparse file has nothing at all there.
bool is_hole(const GuestMemory& memory, const PhysicalRange& piece) {
  const auto place = memory.find_in_file(piece.begin);
  return place && place->length >= piece.size &&
         place->file->next_data(place->offset) >= place->offset + piece.size;
}

// Where in a piece banners begin, as far as `budget` goes.
void search_piece(const GuestMemory& memory, const PhysicalRange& piece, std::vector<char>& buffer,
                  Budget& budget, const std::function<void(GuestPhysical)>& found) {
  if (is_hole(memory, piece)) return;
  for (std::uint64_t begin = 0; begin < std::min(piece.size, piece_bytes); begin += step_bytes) {
    buffer.resize(std::min<std::uint64_t>(step_bytes + banner_bytes_limit, piece.size - begin));
    if (!memory.read(piece.begin + begin, std::as_writable_bytes(std::span(buffer)))) continue;
    const std::string_view text(buffer.data(), buffer.size());
    for (std::size_t at = find_banner_prefix(text, 0); at < step_bytes;
         at = find_banner_prefix(text, at + 1)) {
      if (!parse_banner(text.substr(at))) continue;
      if (!budget.take()) return;
      found(piece.begin + begin + at);
    }
  }
}

// The banners of all memory, ascending.
class BannerScan {
 public:
  explicit BannerScan(const GuestMemory& memory)
      : memory_(memory), pieces_(cut_into_pieces(memory.ranges())) {}

  std::vector<GuestPhysical> run(Diagnostics& diagnostics) {
    std::vector<std::thread> threads = start();
    if (threads.empty()) work();
    while (finished_ < threads.size()) {
      diagnostics.progress({"searching memory for a kernel",
                            std::min<std::uint64_t>(next_, pieces_.size()) * piece_bytes,
                            pieces_.size() * piece_bytes});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) std::rethrow_exception(error_);
    if (exceeded_) exceeded_->warn_if_exceeded(memory_.name(), diagnostics);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  // One thread a processor, or as many as the system lets there be.
  std::vector<std::thread> start() {
    std::vector<std::thread> threads;
    const unsigned count = std::max(1U, std::thread::hardware_concurrency());
    threads.reserve(count);
    try {
      for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // Those that run do all of the work.
    }
    return threads;
  }

  void work() {
    std::vector<char> buffer;
    try {
      for (std::size_t i = next_++; i < pieces_.size(); i = next_++) {
        Budget budget("banners of kernels in a piece of memory", most_banners_in_piece);
        search_piece(memory_, pieces_[i], buffer, budget, [this](GuestPhysical address) {
          const std::lock_guard lock(mutex_);
          found_.push_back(address);
        });
        const std::lock_guard lock(mutex_);
        if (budget.exceeded()) exceeded_ = budget;
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    ++finished_;
  }

  const GuestMemory& memory_;
  std::vector<PhysicalRange> pieces_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<unsigned> finished_ = 0;
  std::mutex mutex_;
  std::vector<GuestPhysical> found_;
  std::optional<Budget> exceeded_;  // of a piece with more banners than are looked at
  std::exception_ptr error_;
};

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

// The page tables that lie near banners: an image holds those that it runs with, at most this far
// from its banner. Banners are asked for ascending, so that what lies near several of them is
// looked at once.
class OwnTables {
 public:
  explicit OwnTables(const GuestMemory& memory) : memory_(memory) {}

  // The kernel with its banner there, by the tables that it runs with: a part of the image, they
  // map themselves and the banner, both moved by the same distance, as they do all of it. Where an
  // image has other tables that do as much, its variables must point into it too. Nothing if there
  // is none, or once has_given_up().
  std::optional<RunningKernel> find(GuestPhysical banner, Diagnostics& diagnostics) {
    look_until(banner.value + reach);
    std::erase_if(candidates_, [&](const Candidate& candidate) {
      return candidate.tables.root().value + reach < banner.value;
    });
    for (Candidate& candidate : candidates_) {
      if (!steps_.take()) return std::nullopt;
      if (candidate.is_read || !maps(candidate, banner)) continue;
      candidate.is_read = true;  // whichever banner leads to it, its image is the same
      auto image = std::make_shared<const KernelImage>(memory_, candidate.tables);
      if (!bytes_.take(image->budget().taken())) return std::nullopt;
      const bool is_plain = !candidate.tables.architecture().map().image_has_other_tables;
      if (!is_plain && !points_into_itself(*image)) continue;
      auto found = find_banners(*image, BannerExtent::UpToBuildNumber, diagnostics);
      if (!found.empty()) {
        return RunningKernel{std::move(found), std::move(image), std::nullopt, {}};
      }
    }
    return std::nullopt;
  }

  // Whether it took more than any kernel's tables do.
  [[nodiscard]] bool has_given_up() const { return steps_.exceeded() || bytes_.exceeded(); }
  void warn_if_given_up(Diagnostics& diagnostics) const {
    steps_.warn_if_exceeded(memory_.name(), diagnostics);
    bytes_.warn_if_exceeded(memory_.name(), diagnostics);
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

  // Goes on to `end`. What lies out of reach of all banners is passed over.
  void look_until(std::uint64_t end) {
    const std::uint64_t first = end - std::min(end, 2 * reach);
    for (looked_until_ = std::max(looked_until_, first / page * page); looked_until_ < end;
         looked_until_ += page) {
      for (const Architecture* architecture : architectures()) {
        for (const PageTables& tables :
             architecture->possible_kernel_tables(memory_, {looked_until_})) {
          look_at(tables);
        }
      }
    }
  }

  void look_at(const PageTables& tables) {
    if (steps_.exceeded()) return;
    std::uint64_t steps = most_tables;
    const std::optional<std::uint64_t> shift = find_shift(tables, tables.root(), steps_, steps);
    if (steps_.take(steps) && shift) candidates_.push_back({tables, *shift, false});
  }

  const GuestMemory& memory_;
  std::uint64_t looked_until_ = 0;
  std::vector<Candidate> candidates_;  // ascending, from `reach` before the banner on
  // Few pages look like page tables and are none; a kernel's image has at most 2^18 pages.
  Budget steps_{"steps to the page tables of a kernel's banner", std::uint64_t{1} << 22};
  Budget bytes_{"bytes mapped by page tables near banners", 4 * KernelImage::most_bytes};
};

}  // namespace

std::vector<GuestPhysical> scan_for_banners(const GuestMemory& memory, Diagnostics& diagnostics) {
  return BannerScan(memory).run(diagnostics);
}

std::optional<RunningKernel> scan_for_kernel(const GuestMemory& memory, Diagnostics& diagnostics) {
  return find_banner_kernel(memory, scan_for_banners(memory, diagnostics), diagnostics);
}

std::optional<RunningKernel> find_banner_kernel(const GuestMemory& memory,
                                                const std::vector<GuestPhysical>& banners,
                                                Diagnostics& diagnostics) {
  OwnTables own_tables(memory);
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
  own_tables.warn_if_given_up(diagnostics);
  return std::nullopt;
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
