#include "triage/log/event_store.h"

#include <algorithm>

namespace photon_dmesg {
namespace {

constexpr std::size_t most_events = 256;

}  // namespace

void EventStore::add(LogEvent later) {
  LogEvent* first = newest([&](const LogEvent& known) { return is_repeat(known, later); });
  const bool is_full = first == nullptr && events_.size() >= most_events;
  if (is_full && events_.front().boots_ago != later.boots_ago) {
    events_.erase(events_.begin());
  } else if (is_full) {
    first = newest([&](const LogEvent& known) { return known.kind == later.kind; });
  }
  if (first != nullptr) {
    add_repeat(*first, std::move(later));
  } else if (events_.size() < most_events + finding_kinds().size()) {
    events_.push_back(std::move(later));
  }
}

void EventStore::begin_boot() {
  for (LogEvent& event : events_) ++event.boots_ago;
}

LogEvent* EventStore::newest(const std::function<bool(const LogEvent&)>& fits) {
  const auto found = std::find_if(events_.rbegin(), events_.rend(), fits);
  return found == events_.rend() ? nullptr : &*found;
}

std::vector<LogEvent> EventStore::take() {
  std::stable_sort(events_.begin(), events_.end(),
                   [](const LogEvent& a, const LogEvent& b) { return a.first.seq < b.first.seq; });
  return std::move(events_);
}

}  // namespace photon_dmesg
