#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/budget.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

// Looks through memory for the places where kernels' banners begin, from its beginning on and on
// every processor.
class BannerScan {
 public:
  // `memory` must outlive this.
  explicit BannerScan(const GuestMemory& memory);
  ~BannerScan();
  BannerScan(const BannerScan&) = delete;
  BannerScan& operator=(const BannerScan&) = delete;

  [[nodiscard]] bool is_done() const { return end_ == pieces_.size(); }

  // The banners in the next `bytes`, or a little more, ascending.
  [[nodiscard]] std::vector<GuestPhysical> next(std::uint64_t bytes, Diagnostics& diagnostics);
  // Those in all that is left.
  [[nodiscard]] std::vector<GuestPhysical> rest(Diagnostics& diagnostics);

  // Of pieces that have more banners than are looked at.
  void warn_if_exceeded(Diagnostics& diagnostics) const;

 private:
  void start_threads();
  void work();
  // Takes the next piece and looks through it, without holding `lock` meanwhile.
  void take_piece(std::vector<char>& buffer, std::unique_lock<std::mutex>& lock);
  void search(const PhysicalRange& piece, std::vector<char>& buffer);
  [[nodiscard]] bool has_finished() const { return next_ == end_ && working_ == 0; }

  const GuestMemory& memory_;
  std::vector<PhysicalRange> pieces_;
  std::uint64_t total_ = 0;  // bytes of all
  std::uint64_t done_ = 0;   // of those that have been asked for
  // They live as long as the scan: who reads a dump may start a process, which ends with its
  // thread.
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // of all below
  std::condition_variable has_changed_;
  std::size_t end_ = 0;      // of the pieces that are looked through, or are to be
  std::size_t next_ = 0;     // of these the first that nobody has begun
  std::size_t working_ = 0;  // threads
  bool is_over_ = false;
  std::vector<GuestPhysical> found_;
  std::optional<Budget> exceeded_;
  std::exception_ptr error_;
};

}  // namespace photon_dmesg
