#pragma once

#include <atomic>
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

  // What has not been looked through, at most: in bytes.
  [[nodiscard]] std::uint64_t rest() const;

  // The banners in the next `bytes`, ascending.
  [[nodiscard]] std::vector<GuestPhysical> next(std::uint64_t bytes, Diagnostics& diagnostics);

  // Of pieces that have more banners than are looked at.
  void warn_if_exceeded(Diagnostics& diagnostics) const;

 private:
  std::vector<std::thread> start();
  void work();
  void search_pieces();
  void wait_for(std::size_t threads, Diagnostics& diagnostics);

  const GuestMemory& memory_;
  std::vector<PhysicalRange> pieces_;
  std::size_t end_ = 0;  // of those that are looked through, or are to be
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // of all below
  std::condition_variable has_finished_;
  std::size_t finished_ = 0;  // threads
  std::vector<GuestPhysical> found_;
  std::optional<Budget> exceeded_;
  std::exception_ptr error_;
};

}  // namespace photon_dmesg
