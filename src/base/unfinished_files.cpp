#include "base/unfinished_files.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <string>

namespace photon_dmesg::unfinished_files {
namespace {

// A signal comes at any time: it finds names in memory of their own, of which it may be known
// without a lock whether they are whole.
struct Entry {
  enum State : int { Free, Changing, Whole };
  std::atomic<int> state = Free;
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<int>::is_always_lock_free);

constexpr std::size_t most_files = 16;  // a run writes one after the other
std::array<Entry, most_files> entries;
std::atomic<pid_t> owner = 0;

// Takes an entry that is in `state`; false if it is not.
bool take(Entry& entry, Entry::State state) {
  int expected = state;
  return entry.state.compare_exchange_strong(expected, Entry::Changing);
}

extern "C" void remove_and_end(int signal) {
  if (::getpid() == owner) {
    for (const Entry& entry : entries) {
      if (entry.state == Entry::Whole) ::unlink(entry.path.data());
    }
  }
  ::raise(signal);  // whose action is the default one by now
}

}  // namespace

void add(const std::filesystem::path& path) {
  const std::string& name = path.native();
  if (name.size() >= PATH_MAX) return;
  for (Entry& entry : entries) {
    if (!take(entry, Entry::Free)) continue;
    std::copy(name.begin(), name.end(), entry.path.begin());
    entry.path.at(name.size()) = '\0';
    entry.state = Entry::Whole;
    return;
  }
}

void forget(const std::filesystem::path& path) {
  for (Entry& entry : entries) {
    // What is another's stays whole throughout: a signal may come now.
    const bool is_same = entry.state == Entry::Whole && path.native() == entry.path.data();
    if (is_same && take(entry, Entry::Whole)) entry.state = Entry::Free;
  }
}

void remove_at_signals() {
  owner = ::getpid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remove_and_end;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace photon_dmesg::unfinished_files
