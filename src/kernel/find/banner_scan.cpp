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
    : memory_(memory), pieces_(cut_into_pieces(memory.ranges())) {
  for (const PhysicalRange& piece : pieces_) total_ += piece.size;
}

BannerScan::~BannerScan() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  has_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<GuestPhysical> BannerScan::rest(Diagnostics& diagnostics) {
  return next(total_, diagnostics);
}

std::vector<GuestPhysical> BannerScan::next(std::uint64_t bytes, Diagnostics& diagnostics) {
  constexpr std::chrono::milliseconds between_messages(10);
  start_threads();
  std::unique_lock lock(mutex_);
  for (std::uint64_t taken = 0; end_ < pieces_.size() && taken < bytes; ++end_) {
    taken += pieces_[end_].size;
    done_ += pieces_[end_].size;
  }
  has_changed_.notify_all();
  std::vector<char> buffer;
  while (threads_.empty() && next_ < end_) take_piece(buffer, lock);
  while (!has_finished()) {
    const std::uint64_t left = (end_ - next_) * piece_bytes;
    lock.unlock();
    diagnostics.progress({"searching memory for a kernel", done_ - std::min(done_, left), total_});
    lock.lock();
    has_changed_.wait_for(lock, between_messages, [this] { return has_finished(); });
  }
  if (error_) std::rethrow_exception(error_);
  std::sort(found_.begin(), found_.end());
  return std::exchange(found_, {});
}

void BannerScan::warn_if_exceeded(Diagnostics& diagnostics) const {
  if (exceeded_) exceeded_->warn_if_exceeded(memory_.name(), diagnostics);
}

// One a processor, or as many as there is work for or the system lets there be.
void BannerScan::start_threads() {
  if (!threads_.empty()) return;
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t count = std::min(processors, pieces_.size());
  threads_.reserve(count);
  try {
    while (threads_.size() < count) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // Those that run do all of the work.
  }
}

void BannerScan::work() {
  std::vector<char> buffer;
  std::unique_lock lock(mutex_);
  while (true) {
    has_changed_.wait(lock, [this] { return is_over_ || next_ < end_; });
    if (is_over_) return;
    take_piece(buffer, lock);
    if (has_finished()) has_changed_.notify_all();
  }
}

void BannerScan::take_piece(std::vector<char>& buffer, std::unique_lock<std::mutex>& lock) {
  const PhysicalRange& piece = pieces_[next_++];
  ++working_;
  lock.unlock();
  std::exception_ptr error;
  try {
    search(piece, buffer);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  --working_;
  if (error) error_ = error;
}

void BannerScan::search(const PhysicalRange& piece, std::vector<char>& buffer) {
  Budget budget("banners of kernels in a piece of memory", most_banners_in_piece);
  std::vector<GuestPhysical> found;
  search_piece(memory_, piece, buffer, budget,
               [&](GuestPhysical address) { found.push_back(address); });
  if (found.empty() && !budget.exceeded()) return;
  const std::lock_guard lock(mutex_);
  found_.insert(found_.end(), found.begin(), found.end());
  if (budget.exceeded()) exceeded_ = budget;
}

}  // namespace photon_dmesg
