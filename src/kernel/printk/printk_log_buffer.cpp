#include "kernel/printk/printk_log_buffer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t longest_line = 1024;  // LOG_LINE_MAX and its prefix

Error not_mapped(GuestVirtual address, std::uint64_t length) {
  return unusable(fmt::format(
      "the guest's memory at {} (log_buf, {} bytes) can't be read: not mapped", address, length));
}

// As the kernel's own memory is: each page is mapped, and to another one. A damaged length or
// address shows before memory is taken for it, and none is taken for a page that is mapped over and
// over.
void check_mapping(const KernelMemory& memory, GuestVirtual address, std::uint64_t length) {
  constexpr std::uint64_t page = 4096;
  const std::uint64_t before = address.value % page;
  std::vector<GuestPhysical> pages;
  for (std::uint64_t at = 0; at < before + length; at += page) {
    const auto place = memory.translate({address.value - before + at});
    if (!place) throw not_mapped(address, length);
    pages.push_back(*place);
  }
  std::sort(pages.begin(), pages.end());
  const auto twice = std::adjacent_find(pages.begin(), pages.end());
  if (twice != pages.end()) {
    throw unusable(
        fmt::format("log_buf: expected {} bytes of memory at {}, found the page at physical {} in "
                    "several places of them",
                    length, address, *twice));
  }
}

}  // namespace

PrintkLogBuffer PrintkLogBuffer::read(const KernelMemory& memory, GuestVirtual address,
                                      std::uint64_t length, const StructLayout& layout) {
  if (length < layout.size() || length > memory.ram_size()) {
    throw unusable(
        fmt::format("log_buf_len: expected {} to {} bytes, which the guest has, found {}",
                    layout.size(), memory.ram_size(), length));
  }
  check_mapping(memory, address, length);
  std::vector<std::byte> bytes(length);
  if (!memory.read(address, bytes)) throw not_mapped(address, length);
  return {layout, std::move(bytes)};
}

StructView PrintkLogBuffer::view(std::uint64_t index) const {
  return {*layout_, std::span(bytes_).subspan(index, layout_->size())};
}

PrintkLogBuffer::Header PrintkLogBuffer::header(std::uint64_t index) const {
  const StructView record = view(index);
  return {record.number(*length_), record.number(*text_length_),
          record.number(*dictionary_length_)};
}

std::uint64_t PrintkLogBuffer::ts_nsec(std::uint64_t index) const {
  return view(index).number("ts_nsec");
}

bool PrintkLogBuffer::is_record(std::uint64_t index, std::uint64_t end) const {
  if (index % record_alignment != 0 || !has_room_for_header(index) || index > end) {
    return false;
  }
  const Header record = header(index);
  const std::uint64_t content = layout_->size() + record.text_length + record.dictionary_length;
  return record.length % record_alignment == 0 && content <= record.length &&
         record.length < content + record_alignment && record.length <= end - index;
}

std::string_view PrintkLogBuffer::content(std::uint64_t index) const {
  const Header lengths = header(index);
  const std::string_view all(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  return all.substr(index + layout_->size(), lengths.text_length + lengths.dictionary_length);
}

bool PrintkLogBuffer::ends_rightly(std::uint64_t index) const {
  const std::string_view all = content(index);
  const std::uint64_t end = layout_->size() + all.size();
  const auto padding = std::span(bytes_).subspan(index + end, header(index).length - end);
  return (all.empty() || all.back() != '\0') &&
         std::all_of(padding.begin(), padding.end(), [](std::byte b) { return b == std::byte{0}; });
}

bool PrintkLogBuffer::is_wrap(std::uint64_t index) const {
  return !has_room_for_header(index) || header(index).length == 0;
}

void PrintkLogBuffer::for_each_place(
    std::uint64_t from, const std::function<bool(std::uint64_t, std::uint64_t)>& visit) const {
  bool wrapped = false;
  std::uint64_t index = from;
  for (std::uint64_t count = 1;; ++count) {
    if (index <= size() && is_wrap(index)) {
      if (wrapped) return;
      wrapped = true;
      index = 0;
      if (!visit(index, count - 1)) return;
    }
    if (!is_record(index, size()) || (wrapped && index >= from)) return;
    index += header(index).length;
    if (!visit(index, count)) return;
  }
}

std::optional<std::uint64_t> PrintkLogBuffer::count_until(std::uint64_t from,
                                                          std::uint64_t to) const {
  std::optional<std::uint64_t> found;
  for_each_place(from, [&](std::uint64_t index, std::uint64_t count) {
    if (index == to && (count > 0 || from != to)) found = count;
    return !found;
  });
  return found;
}

std::optional<std::uint64_t> PrintkLogBuffer::count_records(std::uint64_t from,
                                                            std::uint64_t to) const {
  if (from == to) return 0;
  return count_until(from, to);
}

std::optional<std::uint64_t> PrintkLogBuffer::count_lap(std::uint64_t from) const {
  return count_until(from, from);
}

bool PrintkLogBuffer::begins_at_boot() const {
  constexpr int most_before_banner = 16;
  std::uint64_t index = 0;
  for (int i = 0; i <= most_before_banner && is_likely_record(index); ++i) {
    if (content(index).starts_with(banner_prefix)) return true;
    index += header(index).length;
  }
  return false;
}

bool PrintkLogBuffer::is_likely_record(std::uint64_t index) const {
  return is_record(index, size()) && header(index).text_length <= longest_line &&
         header(index).dictionary_length <= longest_line;
}

PrintkLogBuffer::Lap PrintkLogBuffer::follow(std::uint64_t index) const {
  Lap lap;
  while (is_likely_record(index)) {
    ++lap.records;
    index += header(index).length;
  }
  lap.end = index;
  lap.reaches_end = is_end(index);
  return lap;
}

bool PrintkLogBuffer::is_end(std::uint64_t index) const {
  // Only where no long record fits any more does the log go on at the beginning.
  return is_wrap(index) && size() - index <= 2 * (longest_line + layout_->size());
}

std::uint64_t PrintkLogBuffer::count_to_end(std::uint64_t index,
                                            std::vector<bool>& leads_nowhere) const {
  leads_nowhere.resize(size() / record_alignment + 1);
  std::uint64_t records = 0;
  std::uint64_t at = index;
  for (; is_likely_record(at) && !leads_nowhere[at / record_alignment]; ++records) {
    at += header(at).length;
  }
  // Records are multiples of the alignment and end by the buffer's end.
  if (!leads_nowhere[at / record_alignment] && is_end(at)) return records;
  for (at = index; records > 0; --records) {
    leads_nowhere[at / record_alignment] = true;
    at += header(at).length;
  }
  return 0;
}

PrintkLogBuffer::Extent PrintkLogBuffer::extent_of_first_lap() const {
  const Lap lap = follow(0);
  return {0, lap.end, lap.records};
}

bool PrintkLogBuffer::has_records_behind(std::uint64_t index) const {
  constexpr int surely = 3;  // one may stand in any bytes
  for (std::uint64_t at = index; at < size(); at += record_alignment) {
    int records = 0;
    for (std::uint64_t next = at; records < surely && is_likely_record(next); ++records) {
      next += header(next).length;
    }
    if (records == surely) return true;
  }
  return false;
}

std::optional<PrintkLogBuffer::Extent> PrintkLogBuffer::find_extent() const {
  const Lap last = follow(0);
  if (last.records == 0) {
    return std::nullopt;
  }
  Extent extent{0, last.end, last.records};
  // An earlier lap's records may happen to follow the newest one without a gap; there, and nowhere
  // else by as much, time goes back.
  std::uint64_t largest_drop = 0;
  std::uint64_t before = ts_nsec(0);
  std::uint64_t index = header(0).length;
  for (std::uint64_t i = 1; last.reaches_end && i < last.records; ++i) {
    const std::uint64_t time = ts_nsec(index);
    const std::uint64_t drop = before - std::min(before, time);
    if (time <= ts_nsec(0) && drop > largest_drop) {
      largest_drop = drop;
      extent = {0, index, i};
    }
    before = time;
    index += header(index).length;
  }
  std::vector<bool> leads_nowhere;
  for (std::uint64_t at = extent.next_index; at < size(); at += record_alignment) {
    if (!is_likely_record(at) || ts_nsec(at) > ts_nsec(0)) continue;
    if (const std::uint64_t earlier = count_to_end(at, leads_nowhere)) {
      return Extent{at, extent.next_index, extent.records + earlier};
    }
  }
  return extent;
}

}  // namespace photon_dmesg
