#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace photon_dmesg {

// Does work in processes of its own, several at a time: what one of them uses up, or dies of, is
// its own. This process must have one thread only.
class WorkerPool {
 public:
  struct Limits {
    std::size_t jobs = 1;                 // at a time
    std::optional<std::uint64_t> memory;  // bytes that all of them together may use
  };

  // How a piece of work has ended.
  struct Ended {
    std::size_t work = 0;
    pid_t process = 0;
    int status = 0;               // what it returned
    std::optional<int> signal{};  // that ended it before its end
    bool was_asked = false;  // by run(), which was asked to end: nobody else has sent the signal
  };

  // What is asked while work goes on; `ended` is called for each piece, and `waiting` some ten
  // times a second with how many are running.
  struct Watch {
    std::function<void(const Ended& ended)> ended;
    std::function<void(std::size_t running)> waiting;
  };

  explicit WorkerPool(Limits limits) : limits_(limits) {}

  using Work = std::function<int(std::size_t work)>;

  // Calls work(0) to work(count - 1), each in a process of its own, in that order. Returns the
  // signal that has asked this process to end meanwhile (SIGINT, SIGTERM, SIGHUP), if one has: then
  // the running pieces have been ended too, and the others were not begun. Throws
  // Error(Incomplete) if there can be no process.
  std::optional<int> run(std::size_t count, const Work& work, const Watch& watch);

 private:
  [[nodiscard]] std::size_t allowed() const;
  bool start(std::size_t index, const Work& work);
  void reap(const Watch& watch);
  void end_all();

  Limits limits_;
  std::map<pid_t, std::size_t> running_;
  std::uint64_t peak_bytes_ = 0;  // the most that one has used so far
  bool has_ended_all_ = false;
};

}  // namespace photon_dmesg
