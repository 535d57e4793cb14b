#include "base/prefetch_stream.h"

#include <utility>

namespace photon_dmesg {
namespace {

// Enough that neither side waits for the other over what takes the other a moment longer. What is
// left of a package when enough is unpacked is verified then, the faster work.
constexpr std::size_t most_bytes_ahead = std::size_t{32} * 1024 * 1024;

}  // namespace

PrefetchStream::PrefetchStream(ByteStream& stream)
    : stream_(stream), thread_([this] { read_ahead(); }) {}

PrefetchStream::~PrefetchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

PrefetchStream::Chunk PrefetchStream::take_spare() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return bytes_ahead_ < most_bytes_ahead || stop_ || discard_; });
  if (spare_.empty()) return {};
  Chunk chunk = std::move(spare_.back());
  spare_.pop_back();
  return chunk;
}

void PrefetchStream::push(Chunk chunk) {
  {
    const std::lock_guard lock(mutex_);
    if (discard_) {
      spare_.push_back(std::move(chunk));
    } else {
      bytes_ahead_ += chunk.size();
      chunks_.push_back(std::move(chunk));
    }
  }
  changed_.notify_all();
}

void PrefetchStream::read_ahead() {
  try {
    while (true) {
      Chunk chunk = take_spare();
      {
        const std::lock_guard lock(mutex_);
        if (stop_) break;
      }
      const std::span<const std::byte> bytes = stream_.next();
      if (bytes.empty()) break;
      chunk.assign(bytes.begin(), bytes.end());
      push(std::move(chunk));
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
  {
    const std::lock_guard lock(mutex_);
    discard_ = true;
    chunks_.clear();
  }
  changed_.notify_all();
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace photon_dmesg
