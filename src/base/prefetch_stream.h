#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/byte_stream.h"

namespace photon_dmesg {

// A stream that is read ahead of its user on a thread of its own, by a bounded number of bytes, so
// that the work on both sides goes on at the same time.
class PrefetchStream final : public ByteStream {
 public:
  // Reads until `most_ahead` bytes wait for the user. `stream` must outlive this object and is left
  // to it.
  PrefetchStream(ByteStream& stream, std::size_t most_ahead);
  // Waits for the call of stream.next() that is under way.
  ~PrefetchStream() override;

  // Rethrows what `stream` threw, at its place.
  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

  // Reads `stream` to its end without keeping what comes, once; nothing may be asked of this object
  // then. Throws what `stream` throws.
  void drain();

 private:
  using Chunk = std::vector<std::byte>;

  // What the thread does with what it reads.
  enum class Order { Keep, Discard, Stop };

  void give(Order order);
  void read_ahead();
  [[nodiscard]] Order wait_for_room();
  void push(std::span<const std::byte> bytes);

  ByteStream& stream_;
  std::size_t most_ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> chunks_;
  std::size_t bytes_ahead_ = 0;  // in chunks_
  std::vector<Chunk> spare_;     // their memory is used again
  std::exception_ptr failure_;
  Order order_ = Order::Keep;
  bool finished_ = false;
  Chunk current_;
  std::thread thread_;
};

}  // namespace photon_dmesg
