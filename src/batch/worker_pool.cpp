#include "batch/worker_pool.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::array ending_signals = {SIGINT, SIGTERM, SIGHUP};

// What running work is ended by.
constexpr int worker_end_signal = SIGTERM;

// While it exists, signals wait to be asked for. What the process was started to ignore, it goes on
// to ignore.
class HeldSignals {
 public:
  HeldSignals() {
    ::sigemptyset(&held_);
    ::sigaddset(&held_, SIGCHLD);
    for (const int signal : ending_signals) {
      struct sigaction action {};
      ::sigaction(signal, nullptr, &action);
      if (action.sa_handler != SIG_IGN) ::sigaddset(&held_, signal);
    }
    ::sigprocmask(SIG_BLOCK, &held_, &before_);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  void release() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // Waits for one, a tenth of a second at most; 0 if none came.
  [[nodiscard]] int next() const {
    constexpr timespec patience{0, 100'000'000};
    const int signal = ::sigtimedwait(&held_, nullptr, &patience);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t held_{};
  sigset_t before_{};
};

}  // namespace

std::size_t WorkerPool::allowed() const {
  if (!limits_.memory) return limits_.jobs;
  // What reading the largest kernels' packages takes, until it is known.
  constexpr std::uint64_t first_guess = std::uint64_t{768} << 20U;
  const std::uint64_t each = peak_bytes_ == 0 ? first_guess : peak_bytes_;
  return std::clamp<std::size_t>(*limits_.memory / each, 1, limits_.jobs);
}

bool WorkerPool::start(std::size_t index, const Work& work) {
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    if (!running_.empty()) return false;  // the system has room again when one of these has ended
    throw Error(Failure::Incomplete, fmt::format("no process can be started: {}",
                                                 std::generic_category().message(errno)));
  }
  if (process == 0) {
    // Without whoever waits for it, its result would never be counted.
    ::prctl(PR_SET_PDEATHSIG, worker_end_signal);
    ::_exit(::getppid() == parent ? work(index) : 0);
  }
  running_.emplace(process, index);
  return true;
}

void WorkerPool::reap(const Watch& watch) {
  while (!running_.empty()) {
    int status = 0;
    rusage usage{};
    const pid_t process = ::wait4(-1, &status, WNOHANG, &usage);
    if (process <= 0) return;
    const auto found = running_.find(process);
    if (found == running_.end()) continue;
    constexpr std::uint64_t kibibyte = 1024;
    peak_bytes_ = std::max(peak_bytes_, static_cast<std::uint64_t>(usage.ru_maxrss) * kibibyte);
    Ended ended{.work = found->second, .process = process};
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    ended.was_asked = has_ended_all_ && ended.signal == worker_end_signal;
    if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
    running_.erase(found);
    watch.ended(ended);
  }
}

void WorkerPool::end_all() {
  has_ended_all_ = true;
  for (const auto& [process, work] : running_) ::kill(process, worker_end_signal);
}

std::optional<int> WorkerPool::run(std::size_t count, const Work& work, const Watch& watch) {
  const HeldSignals signals;
  const auto freed_work = [&](std::size_t index) {
    signals.release();
    return work(index);
  };
  std::optional<int> asked;
  std::size_t next = 0;
  while (!running_.empty() || (next < count && !asked)) {
    while (next < count && !asked && running_.size() < allowed() && start(next, freed_work)) {
      ++next;
    }
    const int signal = signals.next();
    if (signal != 0 && signal != SIGCHLD && !asked) {
      asked = signal;
      end_all();
    }
    watch.waiting(running_.size());
    reap(watch);
  }
  return asked;
}

}  // namespace photon_dmesg
