#include "kernel/printk/printk_log_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kernel/printk/printk_lock.h"

namespace photon_dmesg {
namespace {

LogRange read_range(const GuestKernel& kernel) {
  return {kernel.variable("log_first_seq", 8), kernel.variable("log_next_seq", 8),
          kernel.variable("log_first_idx", 4), kernel.variable("log_next_idx", 4)};
}

// By the kernel's indices, if at least these are known (VMCOREINFO names them), or by the records.
std::optional<PrintkLogBuffer::Extent> find_extent(const GuestKernel& kernel,
                                                   const PrintkLogBuffer& buffer) {
  if (kernel.find_address("log_first_idx") && kernel.find_address("log_next_idx")) {
    const std::uint64_t first = kernel.variable("log_first_idx", 4);
    const std::uint64_t next = kernel.variable("log_next_idx", 4);
    const auto count = buffer.count_records(first, next);
    if (count && *count > 0) return PrintkLogBuffer::Extent{first, next, *count};
  }
  return buffer.find_extent();
}

// The range without the kernel's sequence numbers. Until the buffer has wrapped for the first time,
// its first record is the first there was.
LogRange derive_range(const GuestKernel& kernel, const PrintkLogBuffer& buffer,
                      Diagnostics& diagnostics) {
  const std::optional<PrintkLogBuffer::Extent> extent = find_extent(kernel, buffer);
  if (!extent) {
    throw unusable("log_buf: expected a record at its beginning, found none");
  }
  diagnostics.found({.what = "its beginning and end",
                     .value = "not known",
                     .where = "log",
                     .how = "the records themselves show them"});
  if (extent->first_index != 0 || !buffer.begins_at_boot()) {
    diagnostics.warn(
        "the kernel's sequence numbers are not known: the oldest record found is counted as 0");
  }
  return {0, extent->records, extent->first_index, extent->next_index};
}

bool has_sane_indices(const LogRange& range, const PrintkLogBuffer& buffer) {
  return range.first_index < buffer.size() && range.next_index <= buffer.size();
}

bool has_sane_numbers(const LogRange& range, const PrintkLogBuffer& buffer) {
  return range.next_seq >= range.first_seq &&
         range.next_seq - range.first_seq <= buffer.size() / buffer.layout().size();
}

// How many records lead from the range's first index to its next. Where both are the same, the
// buffer is full or empty, which only the numbers tell.
std::optional<std::uint64_t> count_between(const LogRange& range, const PrintkLogBuffer& buffer) {
  if (range.first_index == range.next_index && range.next_seq != range.first_seq) {
    const auto lap = buffer.count_lap(range.first_index);
    return lap ? lap : 0;
  }
  return buffer.count_records(range.first_index, range.next_index);
}

// The kernel moves index and number one after the other. Stopped in between, there is one record
// more or less between the indices than the numbers say.
void mend_skew(LogRange& range, std::uint64_t found, const PrintkLogBuffer& buffer,
               Diagnostics& diagnostics) {
  const std::uint64_t counted = range.next_seq - range.first_seq;
  if (found == counted + 1) {
    ++range.next_seq;
    range.last_is_unindexed = true;
    diagnostics.found({.what = "the last record was stored, but not yet counted",
                       .where = "log",
                       .how = "there is one more than its numbers say"});
    return;
  }
  const std::uint64_t next = range.next_index;
  if (buffer.is_likely_record(next) && buffer.has_room_for_header(range.first_index) &&
      buffer.ts_nsec(next) >= buffer.ts_nsec(range.first_index)) {
    range.next_index += buffer.header(next).length;
    diagnostics.found(
        {.what = "the last record was counted before its index was moved",
         .where = "log",
         .how = "there is one fewer than its numbers say, and it follows the others"});
  } else {
    ++range.first_seq;
    diagnostics.found({.what = "the first record had been given up, but not yet by its number",
                       .where = "log",
                       .how = "there is one fewer than its numbers say"});
  }
}

// Whether `found` records from the first index to the next are what the records show by themselves,
// so that it is not a damaged record that ends them too early. Before them may stand some that the
// kernel has given up.
bool is_whole(const LogRange& range, std::uint64_t found, const PrintkLogBuffer& buffer) {
  const auto extent = buffer.find_extent();
  if (!extent || extent->next_index != range.next_index || found == 0) return false;
  const auto given_up = buffer.count_records(extent->first_index, range.first_index);
  return given_up && *given_up + found == extent->records;
}

// How well what the log's readers say of themselves fits numbers from `first` to `next`: a reader
// stands in the log, mostly at one of its ends (the kernel moves clear_seq along as it overwrites).
int fit_of_readers(const GuestKernel& kernel, std::uint64_t first, std::uint64_t next) {
  int fit = 0;
  for (const char* name : {"console_seq", "syslog_seq", "clear_seq"}) {
    const std::optional<GuestVirtual> address = kernel.find_address(name);
    const auto seq = address ? kernel.memory().read_unsigned(*address, 8) : std::nullopt;
    if (!seq) continue;
    if (*seq == next || (*seq == first && first != 0)) fit += 2;
    if (*seq >= first && *seq <= next) fit += 1;
  }
  return fit;
}

// The indices and the records agree, so one of the two numbers is wrong.
void mend_numbers(LogRange& range, std::uint64_t found, const GuestKernel& kernel,
                  const PrintkLogBuffer& buffer, Diagnostics& diagnostics) {
  const LogRange said = range;
  LogRange by_next = range;
  by_next.first_seq = said.next_seq - found;
  LogRange by_first = range;
  by_first.next_seq = said.first_seq + found;
  const bool next_can_be = said.next_seq >= found;
  const bool is_from_boot = range.first_index == 0 && buffer.begins_at_boot();
  bool trust_next =
      next_can_be && fit_of_readers(kernel, by_next.first_seq, by_next.next_seq) >
                         fit_of_readers(kernel, by_first.first_seq, by_first.next_seq);
  if (is_from_boot && said.first_seq == 0) trust_next = false;
  if (is_from_boot && said.next_seq == found) trust_next = true;
  range = trust_next ? by_next : by_first;
  diagnostics.warn_of_lack(fmt::format(
      "log_first_seq is {} and log_next_seq is {}, but there are {} records: they were numbered "
      "from {}, as {} says",
      said.first_seq, said.next_seq, found, range.first_seq,
      trust_next ? "log_next_seq" : "log_first_seq"));
}

// The place from which `count` records lead to `to`, if those from `from` on come by there.
std::optional<std::uint64_t> place_before(const PrintkLogBuffer& buffer, std::uint64_t from,
                                          std::uint64_t to, std::uint64_t count) {
  std::vector<std::uint64_t> places = {from};  // by how many records lead there
  bool arrived = false;
  buffer.for_each_place(from, [&](std::uint64_t index, std::uint64_t records) {
    places.resize(records + 1);
    places[records] = index;
    arrived = index == to;
    return !arrived;
  });
  if (!arrived || places.size() - 1 < count) return std::nullopt;
  return places[places.size() - 1 - count];
}

// Numbers and records may agree where an index doesn't: then it is known where the index should be.
void mend_indices(LogRange& range, const PrintkLogBuffer& buffer, Diagnostics& diagnostics) {
  const auto extent = buffer.find_extent();
  if (!extent || !has_sane_numbers(range, buffer)) return;
  const std::uint64_t counted = range.next_seq - range.first_seq;
  const LogRange said = range;
  const auto say = [&](std::string_view what, std::uint64_t wrong, std::uint64_t right) {
    diagnostics.warn_of_lack(
        fmt::format("{} is {:#x}, which contradicts the log's records and their number: they show "
                    "that it should be {:#x}",
                    what, wrong, right));
  };
  range.next_index = extent->next_index;
  if (said.first_index < buffer.size() && said.next_index != extent->next_index &&
      count_between(range, buffer) == counted) {
    say("log_next_idx", said.next_index, range.next_index);
    return;
  }
  range = said;
  const auto first = place_before(buffer, extent->first_index, said.next_index, counted);
  if (first && *first != said.first_index) {
    range.first_index = *first;
    say("log_first_idx", said.first_index, *first);
  }
}

void check_range(const LogRange& range, const PrintkLogBuffer& buffer) {
  if (has_sane_indices(range, buffer) && has_sane_numbers(range, buffer)) return;
  throw unusable(fmt::format(
      "the log's variables are not sane: {} bytes (log_buf_len), records {} to {}, from index "
      "{:#x} to {:#x}",
      buffer.size(), range.first_seq, range.next_seq, range.first_index, range.next_index));
}

}  // namespace

LogRange find_log_range(const GuestKernel& kernel, const PrintkLogBuffer& buffer,
                        Diagnostics& diagnostics) {
  if (!kernel.find_address("log_first_seq")) return derive_range(kernel, buffer, diagnostics);
  LogRange range = read_range(kernel);
  const std::uint64_t counted = range.next_seq - range.first_seq;
  const std::optional<std::uint64_t> found =
      has_sane_indices(range, buffer) ? count_between(range, buffer) : std::nullopt;
  const bool off_by_one = found && (*found == counted + 1 || *found + 1 == counted);
  // Of a log that still begins with what the kernel said first nothing has been given up.
  const bool is_whole_boot = range.first_seq == 0 && range.first_index == 0;
  const bool gave_one_up =
      found && *found + 1 == counted && !buffer.is_likely_record(range.next_index);
  if (off_by_one && is_printk_lock_held(kernel) && !(gave_one_up && is_whole_boot)) {
    mend_skew(range, *found, buffer, diagnostics);
  } else if (found && *found != counted && is_whole(range, *found, buffer)) {
    mend_numbers(range, *found, kernel, buffer, diagnostics);
  } else if (found != counted) {
    mend_indices(range, buffer, diagnostics);
  }
  check_range(range, buffer);
  return range;
}

}  // namespace photon_dmesg
