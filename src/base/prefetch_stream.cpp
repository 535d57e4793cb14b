#include "base/prefetch_stream.h"

#include <utility>

namespace photon_dmesg {
PrefetchStream::PrefetchStream(ByteStream& stream, std::size_t most_ahead)
    : stream_(stream), most_ahead_(most_ahead), thread_([this] { read_ahead(); }) {}

PrefetchStream::~PrefetchStream() {
  give(Order::Stop);
  if (thread_.joinable()) thread_.join();
}

void PrefetchStream::give(Order order) {
  {
    const std::lock_guard lock(mutex_);
    order_ = order;
    if (order != Order::Keep) chunks_.clear();
  }
  changed_.notify_all();
}

PrefetchStream::Order PrefetchStream::wait_for_room() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return bytes_ahead_ < most_ahead_ || order_ != Order::Keep; });
  return order_;
}

void PrefetchStream::push(std::span<const std::byte> bytes) {
  Chunk chunk;
  {
    const std::lock_guard lock(mutex_);
    if (order_ != Order::Keep) return;
    if (!spare_.empty()) {
      chunk = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  chunk.assign(bytes.begin(), bytes.end());
  {
    const std::lock_guard lock(mutex_);
    bytes_ahead_ += chunk.size();
    chunks_.push_back(std::move(chunk));
  }
  changed_.notify_all();
}

void PrefetchStream::read_ahead() {
  try {
    while (wait_for_room() != Order::Stop) {
      const std::span<const std::byte> bytes = stream_.next();
      if (bytes.empty()) break;
      push(bytes);
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
}

std::span<const std::byte> PrefetchStream::next() {
  std::unique_lock lock(mutex_);
  spare_.push_back(std::exchange(current_, {}));
  changed_.wait(lock, [&] { return !chunks_.empty() || finished_; });
  if (chunks_.empty()) {
    if (failure_) std::rethrow_exception(failure_);
    return {};
  }
  current_ = std::move(chunks_.front());
  chunks_.pop_front();
  bytes_ahead_ -= current_.size();
  lock.unlock();
  changed_.notify_all();
  return current_;
}

void PrefetchStream::drain() {
  give(Order::Discard);
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace photon_dmesg
