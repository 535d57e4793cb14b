#include "kernel/printk/ring_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "kernel/printk/level_prefix.h"
#include "kernel/printk/text_end.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;
constexpr std::uint64_t most_meanwhile = 64;    // records
constexpr std::uint64_t checked_behind = 32;    // bytes; more than what any kernel leaves there
constexpr std::uint64_t newline_flag = 2;       // LOG_NEWLINE
constexpr std::uint64_t continuation_flag = 8;  // LOG_CONT

LogRecord::State state_of(const Descriptor& descriptor, std::uint64_t flags) {
  if (descriptor.state == DescriptorState::Reserved) return LogRecord::State::Reopened;
  const bool open = descriptor.state == DescriptorState::Committed && (flags & newline_flag) == 0;
  return open ? LogRecord::State::Partial : LogRecord::State::Finished;
}

RingWindow choose_window(const KernelMemory& memory, GuestVirtual address,
                         const RingLayouts& layouts, const Ring& ring) {
  DescriptorRing descriptors(memory, layouts, ring);
  const RingWindow window = find_window(descriptors, ring);
  if (window.records == 0 && descriptors.size() > ring.descriptor_count) {
    throw unusable(
        fmt::format("printk_ringbuffer at {}: expected head_id at most {} behind tail_id, found "
                    "{:#x} and {:#x}",
                    address, ring.descriptor_count - 1, ring.head_id, ring.tail_id));
  }
  return window;
}

Ring in_window(Ring ring, const RingWindow& window) {
  ring.tail_id = window.tail_id;
  ring.head_id = window.head_id;
  return ring;
}

}  // namespace

RingReader::Members::Members(const RingLayouts& layouts)
    : seq(layouts.info.member("seq")),
      time(layouts.info.member("ts_nsec")),
      text_length(layouts.info.member("text_len")),
      facility(layouts.info.member("facility")),
      flags(layouts.info.member("flags")),
      level(layouts.info.member("level")),
      caller(layouts.info.member("caller_id")),
      device_info(layouts.info.member("dev_info")),
      subsystem(layouts.device_info.member("subsystem")),
      device(layouts.device_info.member("device")) {}

RingReader::RingReader(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts,
                       std::optional<RingWindow> window)
    : memory_(memory),
      layouts_(layouts),
      members_(layouts),
      ring_(read_ring(memory, address, layouts)),
      window_(window ? *window : choose_window(memory, address, layouts, ring_)),
      descriptors_(memory, layouts, in_window(ring_, window_)),
      texts_(memory, ring_),
      half_texts_("bytes of texts being written", ring_.data_size) {}

void RingReader::read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) {
  const std::uint64_t count = descriptors_.size();
  for (std::uint64_t i = 0; i < count && !stopped_; ++i) {
    const std::uint64_t id = descriptors_.id_at(i);
    // Until the ring's first lap is done, its oldest id is that of no record.
    if (is_sequence_number(seq_of(id)) && seq_of(id) >= end) break;
    if (std::optional<LogRecord> record = read_slot(id, result)) {
      has_records_ = true;
      stopped_ = !sink(std::move(*record));
    }
  }
  report_losses(result);
}

std::optional<LogRecord> RingReader::read_slot(std::uint64_t id, KernelLog& result) {
  const std::optional<Descriptor> descriptor = descriptors_.read_descriptor(id);
  const std::optional<StructView> info = descriptors_.read_info(id);
  if (!descriptor || !info) {
    unreadable_.add(seq_of(id));
  } else if (descriptor->id != id) {
    // A slot gets its new id only when its old record has been given up; several processors may be
    // at that, each behind the newest record that is stored.
    (is_behind_stored(id) ? unfinished_ : damaged_).add(seq_of(id));
  } else if (descriptor->state == DescriptorState::Reusable) {
    // Given up to make room for newer text. A record that has none, or whose block lies further
    // on, outlives newer ones, so that these may be gone in between.
    // Once the kernel is done with that, the text is given up as well.
    if (texts_.find_block(*descriptor)) {
      given_up_.add(seq_of(id));
    } else if (has_records_) {
      overwritten_.add(seq_of(id));
    }
  } else {
    return read_record(*descriptor, *info, result);
  }
  return std::nullopt;
}

std::optional<LogRecord> RingReader::read_record(const Descriptor& descriptor,
                                                 const StructView& info, KernelLog& result) {
  LogRecord record;
  record.seq = info.number(members_.seq);
  const std::uint64_t text_length = info.number(members_.text_length);
  const bool right_seq = record.seq == seq_of(descriptor.id) && is_sequence_number(record.seq);
  // vprintk_store() stores text, its length, then what else there is, then the time.
  const bool has_text = text_length > 0 && right_seq;
  const bool clock_runs = last_time_ > 0 || window_.tail_id != first_id(ring_);
  const bool has_time = info.number(members_.time) > 0 || !clock_runs;
  if (descriptor.state == DescriptorState::Reserved && !(has_text && has_time)) {
    keep_half_text(descriptor, has_text ? text_length : 0, result);
    unfinished_.add(seq_of(descriptor.id));
    return std::nullopt;
  }
  if (!right_seq) {
    damaged_.add(seq_of(descriptor.id));
    return std::nullopt;
  }
  fill_info(record, info);
  last_time_ = std::max(last_time_, record.ts_nsec);
  const std::uint64_t flags = info.number(members_.flags);
  record.continues = (flags & continuation_flag) != 0;
  record.state = state_of(descriptor, flags);
  // Once its line is complete, a record is finished within moments, in which only a few others can
  // be stored.
  const bool is_complete = (flags & newline_flag) != 0;
  if (record.state == LogRecord::State::Reopened && is_complete &&
      record.seq + most_meanwhile < window_.last_seq) {
    unfinished_lines_.add(record.seq);
  }
  read_text(record, descriptor, text_length, is_complete);
  return record;
}

void RingReader::keep_half_text(const Descriptor& descriptor, std::uint64_t length,
                                KernelLog& result) {
  const std::optional<TextBlock> block = texts_.find_block(descriptor);
  if (!block || (length == 0 && !texts_.is_in_first_lap(descriptor))) return;
  constexpr std::uint64_t longest_text = 65535;  // text_len has 16 bits
  const std::uint64_t most = std::min(block->size, length > 0 ? length : longest_text);
  // Blocks don't overlap, so that together they are no longer than the ring.
  if (!half_texts_.take(most)) return;
  std::optional<std::string> text = memory_.read_text(block->address, most);
  if (!text) return;
  UnloggedText unlogged;
  unlogged.seq = seq_of(descriptor.id);
  unlogged.level = take_level_prefix(*text);
  unlogged.text = std::move(*text);
  if (!unlogged.text.empty()) result.unlogged.push_back(std::move(unlogged));
}

void RingReader::fill_info(LogRecord& record, const StructView& info) const {
  record.ts_nsec = info.number(members_.time);
  record.facility = static_cast<std::uint8_t>(info.number(members_.facility));
  record.level = static_cast<std::uint8_t>(info.number(members_.level));
  const auto caller = static_cast<std::uint32_t>(info.number(members_.caller));
  record.caller =
      LogCaller{(caller & caller_is_cpu) != 0 ? LogCaller::Kind::Cpu : LogCaller::Kind::Task,
                caller & ~caller_is_cpu};
  const StructView device = info.nested(members_.device_info, layouts_.device_info);
  // As msg_print_ext_body() does: an empty value has no entry.
  if (std::string subsystem = device.text(members_.subsystem); !subsystem.empty()) {
    record.dictionary.emplace_back("SUBSYSTEM", std::move(subsystem));
  }
  if (std::string name = device.text(members_.device); !name.empty()) {
    record.dictionary.emplace_back("DEVICE", std::move(name));
  }
}

void RingReader::read_text(LogRecord& record, const Descriptor& descriptor, std::uint64_t length,
                           bool newline) {
  if (has_no_block(descriptor)) {
    if (block_failed(descriptor) || length > 0) {
      lose_text(record);
    }
    return;
  }
  const std::optional<TextBlock> block = texts_.find_block(descriptor);
  if (!block) {
    lose_text(record);
    return;
  }
  if (length > block->size) {
    record.state = LogRecord::State::Truncated;
    truncated_.add(record.seq);
  }
  // A little more than the text: what stands behind it tells whether its length is right.
  record.text.resize(std::min(length + checked_behind, block->size));
  if (!memory_.read(block->address, std::as_writable_bytes(std::span(record.text)))) {
    record.text.clear();
    lose_text(record);
    return;
  }
  const std::size_t shown = std::min(length, block->size);
  if (record.state == LogRecord::State::Finished) {
    judge_length(record, shown, newline, texts_.is_in_first_lap(descriptor));
  }
  record.text.resize(shown);
}

void RingReader::judge_length(const LogRecord& record, std::size_t length, bool newline,
                              bool first_lap) {
  switch (judge_text_end(record.text, length, newline, first_lap)) {
    case TextEnd::Printed:
      ++printed_;
      break;
    case TextEnd::Copied:
      if (first_lap) {
        ++copied_surely_;
      } else {
        copied_.add(record.seq);
      }
      break;
    case TextEnd::Contradicted:
      length_contradicted_.add(record.seq);
      break;
  }
}

void RingReader::lose_text(LogRecord& record) {
  record.state = LogRecord::State::TextLost;
  texts_lost_.add(record.seq);
}

void RingReader::report_losses(KernelLog& result) const {
  const auto report = [&](const LossCounter& lost, std::string_view what) {
    lost.report(what, result.losses);
  };
  report(unfinished_, "being written when the guest stopped, not in the log");
  report(overwritten_, "that the kernel has overwritten, though it still has older ones");
  report(given_up_, "marked as overwritten whose text is still there, not shown");
  report(damaged_, "with a damaged descriptor, not shown");
  report(unreadable_, "in memory that can't be read, not shown");
  report(texts_lost_, "whose text the kernel has lost or overwritten");
  report(truncated_, "with less text than they should have");
  unfinished_lines_.report("marked as being written whose line is complete", result.doubts);
  if (half_texts_.exceeded()) {
    result.losses.emplace_back(
        "of texts being written, only as many bytes are shown as the ring has");
  }
  // The majority tells how this kernel stores its texts: one that only seems to have been copied,
  // among others that were not, has a length that is wrong by a few bytes.
  const std::uint64_t fitting = printed_ + copied_surely_ + copied_.count();
  if (length_contradicted_.count() < fitting) {
    length_contradicted_.report(contradicted_length, result.doubts);
  }
  if (copied_.count() < printed_) copied_.report(contradicted_length, result.doubts);
}

}  // namespace photon_dmesg
