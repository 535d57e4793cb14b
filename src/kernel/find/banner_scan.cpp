#include "kernel/find/banner_scan.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "kernel/symbols/banner.h"

namespace photon_dmesg {
namespace {

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

}  // namespace

BannerScan::BannerScan(const GuestMemory& memory)
    : memory_(memory), pieces_(cut_into_pieces(memory.ranges())) {}

std::uint64_t BannerScan::rest() const {
  return (pieces_.size() - end_) * piece_bytes;
}

std::vector<GuestPhysical> BannerScan::next(std::uint64_t bytes, Diagnostics& diagnostics) {
  next_ = end_;
  end_ += static_cast<std::size_t>((std::min(bytes, rest()) + piece_bytes - 1) / piece_bytes);
  finished_ = 0;
  std::vector<std::thread> threads = start();
  if (threads.empty()) work();
  wait_for(threads.size(), diagnostics);
  for (std::thread& thread : threads) thread.join();
  if (error_) std::rethrow_exception(error_);
  std::sort(found_.begin(), found_.end());
  return std::exchange(found_, {});
}

void BannerScan::warn_if_exceeded(Diagnostics& diagnostics) const {
  if (exceeded_) exceeded_->warn_if_exceeded(memory_.name(), diagnostics);
}

// One thread a processor, or as many as the system lets there be.
std::vector<std::thread> BannerScan::start() {
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

void BannerScan::wait_for(std::size_t threads, Diagnostics& diagnostics) {
  constexpr std::chrono::milliseconds between_messages(10);
  const auto all_have_finished = [&] { return finished_ >= threads; };
  for (bool done = false; !done;) {
    diagnostics.progress({"searching memory for a kernel",
                          std::min<std::uint64_t>(next_, end_) * piece_bytes,
                          pieces_.size() * piece_bytes});
    std::unique_lock lock(mutex_);
    done = has_finished_.wait_for(lock, between_messages, all_have_finished);
  }
}

void BannerScan::work() {
  std::exception_ptr error;
  try {
    search_pieces();
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  if (error) error_ = error;
  ++finished_;
  has_finished_.notify_one();
}

void BannerScan::search_pieces() {
  std::vector<char> buffer;
  for (std::size_t i = next_++; i < end_; i = next_++) {
    Budget budget("banners of kernels in a piece of memory", most_banners_in_piece);
    search_piece(memory_, pieces_[i], buffer, budget, [this](GuestPhysical address) {
      const std::lock_guard lock(mutex_);
      found_.push_back(address);
    });
    const std::lock_guard lock(mutex_);
    if (budget.exceeded()) exceeded_ = budget;
  }
}

}  // namespace photon_dmesg
