#include "report/record_filter.h"

#include <utility>

#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_usec = 1000;

std::uint64_t usec_of(const LogRecord& record) {
  return record.ts_nsec / nsec_per_usec;
}

bool is_within(std::uint64_t ts_nsec, const Selection& selection) {
  if (!selection.since_usec && !selection.until_usec) return true;
  const std::optional<std::int64_t> nsec = selection.clock.value().time_of_day(ts_nsec);
  if (!nsec) return false;
  const std::int64_t time = whole_usec(*nsec);
  return (!selection.since_usec || time > *selection.since_usec) &&
         (!selection.until_usec || time < *selection.until_usec);
}

}  // namespace

bool RecordFilter::add(LogRecord record) {
  if (record.seq < selection_.first_seq) return true;
  if (record.seq >= selection_.end_seq || selection_.head == taken_) return false;
  const bool accepted = accepts(record);
  const std::uint64_t usec = usec_of(record);
  // dmesg counts from the record before, shown or not; but one without text does not count.
  const std::uint64_t previous =
      std::exchange(previous_usec_, accepted && record.text.empty() ? previous_usec_ : usec);
  if (accepted) add_accepted({std::move(record), previous, false});
  return selection_.head != taken_;
}

bool RecordFilter::accepts(const LogRecord& record) const {
  return (!selection_.levels || selection_.levels->test(record.level)) &&
         (!selection_.facilities || selection_.facilities->test(record.facility)) &&
         is_within(record.ts_nsec, selection_);
}

bool RecordFilter::reaches_end() const {
  return !selection_.head && selection_.end_seq == std::numeric_limits<std::uint64_t>::max();
}

bool RecordFilter::accepts(const UnloggedText& text) const {
  if (!reaches_end()) return false;
  constexpr std::size_t kernel = 0;
  const bool in_time = text.ts_nsec ? is_within(*text.ts_nsec, selection_) : !selection_.until_usec;
  return in_time && (!selection_.facilities || selection_.facilities->test(kernel)) &&
         (!selection_.levels || !text.level || selection_.levels->test(*text.level)) &&
         (!selection_.pattern || selection_.pattern->matches(text.text));
}

bool RecordFilter::accepts(const HostLine& line) const {
  UnloggedText text;
  text.ts_nsec = line.ts_nsec;
  text.level = line.level;
  text.text = line.text;
  const bool is_of_facility =
      !selection_.facilities || selection_.facilities->test(line.facility.value_or(0));
  return is_of_facility && accepts(text);
}

void RecordFilter::add_accepted(Entry entry) {
  if (!selection_.pattern) {
    add_matching(std::move(entry));
    return;
  }
  if (selection_.pattern->matches(entry.record.text)) {
    for (Entry& context : before_) add_matching(std::move(context));
    before_.clear();
    after_ = selection_.lines_after;
    any_matched_ = true;
    add_matching(std::move(entry));
  } else if (after_ > 0) {
    --after_;
    add_matching(std::move(entry));
  } else {
    before_.push_back(std::move(entry));
    if (before_.size() > selection_.lines_before) {
      before_.pop_front();
      gap_ = any_matched_;
    }
  }
}

void RecordFilter::add_matching(Entry entry) {
  entry.behind_gap = std::exchange(gap_, false);
  if (!selection_.tail) {
    write(entry);
    return;
  }
  held_.push_back(std::move(entry));
  if (held_.size() > *selection_.tail) held_.pop_front();
}

void RecordFilter::write(const Entry& entry) {
  if (selection_.head == taken_) return;  // context of a match behind the last one wanted
  const bool has_context = selection_.lines_before > 0 || selection_.lines_after > 0;
  if (entry.behind_gap && has_context && taken_ > 0) writer_.leave_gap();
  writer_.write(entry.record, entry.previous_usec);
  ++taken_;
}

void RecordFilter::finish() {
  for (const Entry& entry : held_) write(entry);
  held_.clear();
}

}  // namespace photon_dmesg
