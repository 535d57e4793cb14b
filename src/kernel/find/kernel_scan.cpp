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

#include "kernel/arch/machines/machines.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page = 4096;

// A piece of memory that one thread looks through at a time.
constexpr std::uint64_t piece_bytes = 4 * 1024 * 1024;

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

// Where in a piece banners begin.
void search_piece(const GuestMemory& memory, const PhysicalRange& piece, std::vector<char>& buffer,
                  const std::function<void(GuestPhysical)>& found) {
  if (is_hole(memory, piece)) return;
  buffer.resize(piece.size);
  if (!memory.read(piece.begin, std::as_writable_bytes(std::span(buffer)))) return;
  const std::string_view text(buffer.data(), buffer.size());
  for (std::size_t at = text.find(banner_prefix); at < piece_bytes;
       at = text.find(banner_prefix, at + 1)) {
    if (parse_banner(text.substr(at))) found(piece.begin + at);
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
        search_piece(memory_, pieces_[i], buffer, [this](GuestPhysical address) {
          const std::lock_guard lock(mutex_);
          found_.push_back(address);
        });
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
  std::exception_ptr error_;
};

// By how much an image page's physical address is less than its virtual one; nothing if `address`
// is in none.
std::optional<std::uint64_t> find_shift(const PageTables& tables, GuestPhysical address) {
  std::optional<std::uint64_t> shift;
  const auto& [image_begin, image_end] = tables.architecture().map().image;
  tables.for_each_page(image_begin, image_end, [&](const PageTables::Page& page) {
    if (address - page.physical_address < page.size) {
      shift = page.virtual_address.value - page.physical_address.value;
    }
  });
  return shift;
}

// A kernel's own tables are a part of its image: they map themselves and the banner, both moved by
// the same distance, as they do all of the image.
bool are_own_tables(const PageTables& tables, GuestPhysical banner) {
  const std::optional<std::uint64_t> shift = find_shift(tables, banner);
  return shift && shift == find_shift(tables, tables.root());
}

// The image holds the tables that it runs with, at most this far from its banner.
std::optional<PageTables> find_own_tables(const GuestMemory& memory, GuestPhysical banner) {
  constexpr std::uint64_t reach = 64 * 1024 * 1024;
  const std::uint64_t begin = (banner.value - std::min(banner.value, reach)) / page * page;
  for (std::uint64_t at = begin; at < banner.value + reach; at += page) {
    for (const Architecture* architecture : architectures()) {
      for (const PageTables& tables : architecture->possible_kernel_tables(memory, {at})) {
        if (are_own_tables(tables, banner)) return tables;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<RunningKernel> scan_for_kernel(const GuestMemory& memory, Diagnostics& diagnostics) {
  for (const GuestPhysical banner : BannerScan(memory).run(diagnostics)) {
    const std::optional<PageTables> tables = find_own_tables(memory, banner);
    std::shared_ptr<const KernelImage> image;
    if (tables) image = std::make_shared<const KernelImage>(memory, *tables);
    std::vector<FoundBanner> banners;
    if (image) banners = find_banners(*image);
    if (banners.empty()) {
      diagnostics.found({.what = "no page tables",
                         .where = fmt::format("banner at physical {}", banner),
                         .how = "none near it map it"});
      continue;
    }
    diagnostics.found({.what = "page tables at",
                       .value = fmt::format("{}", tables->root()),
                       .where = fmt::format("banner at physical {}", banner),
                       .how = fmt::format("{}-level, they map it", tables->levels())});
    warn_of_search(banner, diagnostics);
    return RunningKernel{std::move(banners), std::move(image), std::nullopt, {}};
  }
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
  const Architecture::MemoryMap& map = kernel.tables().architecture().map();
  kernel.tables().for_each_page(map.kernel_half, map.image.begin,
                                [&](const PageTables::Page& page) {
                                  const GuestPhysical page_end = page.physical_address + page.size;
                                  found |= page.physical_address < end && begin < page_end;
                                });
  return found;
}

}  // namespace photon_dmesg
