#include "kernel/printk/printk_log_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace photon_dmesg {
namespace {

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;
constexpr std::uint64_t continuation_flag = 8;  // LOG_CONT

// KEY=value strings, a NUL between them.
void add_dictionary(LogRecord& record, std::string_view entries) {
  while (!entries.empty()) {
    const std::string_view entry = entries.substr(0, entries.find('\0'));
    entries.remove_prefix(std::min(entries.size(), entry.size() + 1));
    const std::size_t key_length = std::min(entry.find('='), entry.size());
    record.dictionary.emplace_back(entry.substr(0, key_length),
                                   entry.substr(std::min(entry.size(), key_length + 1)));
  }
}

}  // namespace

void PrintkLogReader::read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) {
  std::uint64_t index = range_.first_index;
  const std::uint64_t next_seq = range_.next_seq;
  bool has_wrapped = false;
  std::uint64_t last_place = range_.first_index;
  bool wants_more = true;
  // By number, not by index: the first index equals the next one when the buffer is full.
  for (std::uint64_t seq = range_.first_seq; seq < std::min(next_seq, end) && wants_more; ++seq) {
    if (!is_sound(index) || (has_wrap_mark(index) && !is_wrap(index, next_seq - seq))) {
      const std::optional<Chain> rest = resume_after(index, next_seq - seq - 1);
      const std::uint64_t resumed = rest ? next_seq - rest->records : next_seq;
      damaged_.add(seq, std::min(resumed, end) - seq);
      if (!rest || resumed >= end) break;
      seq = resumed;
      index = rest->index;
    }
    const std::uint64_t place = unwrap(index);
    has_wrapped = has_wrapped || place < last_place;
    if (has_wrapped && place >= range_.first_index) {  // once around: what follows was read before
      damaged_.add(seq, std::min(next_seq, end) - seq);
      break;
    }
    last_place = place;
    if (!buffer_.ends_rightly(place)) ends_wrongly_.add(seq);
    LogRecord record = read_record(seq, index);
    if (range_.last_is_unindexed && seq + 1 == next_seq) {
      record.state = LogRecord::State::Unindexed;
    }
    wants_more = sink(std::move(record));
    index = index_after(index);
  }
  damaged_.report("damaged, not shown", result.losses);
  if (range_.ends_in_damage && wants_more && next_seq < end) {
    result.losses.push_back(
        fmt::format("behind record {} the buffer of early boot is damaged: what it had there is "
                    "not shown",
                    next_seq - 1));
  }
  ends_wrongly_.report(contradicted_length, result.doubts);
}

std::uint64_t PrintkLogReader::unwrap(std::uint64_t index) const {
  const bool fits = buffer_.has_room_for_header(index);
  return !fits || (before_wrap(index) && buffer_.header(index).length == 0) ? 0 : index;
}

bool PrintkLogReader::is_sound(std::uint64_t index) const {
  if (index % record_alignment != 0 || index > buffer_.size()) {
    return false;
  }
  const std::uint64_t place = unwrap(index);
  if (place != index && !before_wrap(index)) {
    return false;
  }
  return buffer_.is_record(place, before_wrap(place) ? buffer_.size() : range_.next_index);
}

std::uint64_t PrintkLogReader::index_after(std::uint64_t index) const {
  const std::uint64_t place = unwrap(index);
  return place + buffer_.header(place).length;
}

std::uint64_t PrintkLogReader::chain_length(std::uint64_t index) {
  chain_lengths_.resize(buffer_.size() / record_alignment + 1, not_counted);
  std::uint32_t passed = 0;
  std::uint32_t rest = 0;  // behind those passed
  bool arrives = false;
  std::uint64_t at = index;
  while (!arrives && is_sound(at)) {
    std::uint32_t& known = chain_lengths_[at / record_alignment];
    if (known != not_counted) {
      rest = known;
      break;
    }
    // Damaged records may lead in a circle: whoever comes by again finds that they do not arrive.
    known = 0;
    ++passed;
    at = index_after(at);
    arrives = at == range_.next_index;
  }
  if (!arrives && rest == 0) return 0;
  const std::uint32_t length = passed + rest;
  for (at = index; passed > 0; --passed, at = index_after(at)) {
    chain_lengths_[at / record_alignment] = passed + rest;
  }
  return length;
}

std::optional<PrintkLogReader::Chain> PrintkLogReader::find_chain(std::uint64_t begin,
                                                                  std::uint64_t end,
                                                                  std::uint64_t most) {
  for (std::uint64_t at = begin; at + buffer_.layout().size() <= end; at += record_alignment) {
    if (buffer_.header(at).length == 0) continue;
    const std::uint64_t records = chain_length(at);
    if (records > 0 && records <= most) {
      return Chain{at, records};
    }
  }
  return std::nullopt;
}

std::optional<PrintkLogReader::Chain> PrintkLogReader::resume_after(std::uint64_t index,
                                                                    std::uint64_t most) {
  const std::uint64_t next = index + record_alignment;
  if (!before_wrap(index)) {
    return find_chain(next, range_.next_index, most);
  }
  const std::optional<Chain> chain = find_chain(next, buffer_.size(), most);
  return chain ? chain : find_chain(0, range_.next_index, most);
}

bool PrintkLogReader::is_wrap(std::uint64_t index, std::uint64_t remaining) {
  return chain_length(0) == remaining ||
         !find_chain(index + record_alignment, buffer_.size(), remaining - 1);
}

LogRecord PrintkLogReader::read_record(std::uint64_t seq, std::uint64_t index) const {
  const std::uint64_t place = unwrap(index);
  const StructView record = buffer_.view(place);
  LogRecord result;
  result.seq = seq;
  result.ts_nsec = record.number("ts_nsec");
  result.level = static_cast<std::uint8_t>(record.number("level"));
  if (flags_ != nullptr) {  // 3.5 had a 16-bit level in place of facility, flags and level
    result.facility = static_cast<std::uint8_t>(record.number("facility"));
    result.continues = (record.number(*flags_) & continuation_flag) != 0;
  }
  if (caller_ != nullptr) {
    const auto caller = static_cast<std::uint32_t>(record.number(*caller_));
    result.caller =
        LogCaller{(caller & caller_is_cpu) != 0 ? LogCaller::Kind::Cpu : LogCaller::Kind::Task,
                  caller & ~caller_is_cpu};
  }
  const std::string_view content = buffer_.content(place);
  const std::uint64_t text_length = buffer_.header(place).text_length;
  result.text = content.substr(0, text_length);
  add_dictionary(result, content.substr(text_length));
  return result;
}

}  // namespace photon_dmesg
