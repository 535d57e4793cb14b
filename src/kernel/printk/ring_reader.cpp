#include "kernel/printk/ring_reader.h"

#include <algorithm>
#include <span>

#include "kernel/printk/level_prefix.h"
#include "kernel/printk/log_losses.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;
constexpr std::uint64_t newline_flag = 2;       // LOG_NEWLINE
constexpr std::uint64_t continuation_flag = 8;  // LOG_CONT

LogRecord::State state_of(const Descriptor& descriptor, std::uint64_t flags) {
  if (descriptor.state == DescriptorState::Reserved) return LogRecord::State::Reopened;
  const bool open = descriptor.state == DescriptorState::Committed && (flags & newline_flag) == 0;
  return open ? LogRecord::State::Partial : LogRecord::State::Finished;
}

}  // namespace

RingReader::RingReader(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts,
                       std::optional<std::uint64_t> first_seq)
    : memory_(memory),
      layouts_(layouts),
      ring_(read_ring(memory, address, layouts)),
      descriptors_(memory, layouts, ring_),
      texts_(memory, ring_),
      first_seq_(first_seq.value_or(0)) {
  if (!first_seq) vote_on_first_seq();
}

template <typename Visit>
void RingReader::for_each_id(Visit visit) {
  const std::uint64_t count = descriptors_.size();
  for (std::uint64_t i = 0; i < count && !stopped_; ++i) visit(descriptors_.id_at(i));
}

RingExtent RingReader::extent() {
  RingExtent extent;
  for_each_id([&](std::uint64_t id) {
    if (first_seq_by(id) != first_seq_) return;
    ++extent.records;
    extent.last_seq = seq_of(id);
  });
  return extent;
}

void RingReader::read(const RecordSink& sink, KernelLog& result) {
  for_each_id([&](std::uint64_t id) {
    if (std::optional<LogRecord> record = read_slot(id, result)) {
      has_records_ = true;
      stopped_ = !sink(std::move(*record));
    }
  });
  if (!stopped_) report_losses(result);
}

std::optional<std::uint64_t> RingReader::first_seq_by(std::uint64_t id) {
  const std::optional<Descriptor> descriptor = descriptors_.read_descriptor(id);
  if (!descriptor || descriptor->id != id || !descriptor->is_stored()) return std::nullopt;
  const std::optional<StructView> info = descriptors_.read_info(id);
  if (!info) return std::nullopt;
  return info->number("seq") - descriptors_.distance(id);
}

void RingReader::vote_on_first_seq() {
  std::uint64_t lead = 0;
  for_each_id([&](std::uint64_t id) {
    const std::optional<std::uint64_t> first = first_seq_by(id);
    if (!first) return;
    if (lead == 0) first_seq_ = *first;
    lead = *first == first_seq_ ? lead + 1 : lead - 1;
  });
}

std::optional<LogRecord> RingReader::read_slot(std::uint64_t id, KernelLog& result) {
  const std::optional<Descriptor> descriptor = descriptors_.read_descriptor(id);
  const std::optional<StructView> info = descriptors_.read_info(id);
  if (!descriptor || !info) {
    unreadable_.push_back(seq_of(id));
  } else if (descriptor->id != id) {
    // The head's slot gets its new id only when its old record has been given up.
    (descriptors_.is_newest(id) ? unfinished_ : damaged_).push_back(seq_of(id));
  } else if (descriptor->state == DescriptorState::Reusable) {
    // Given up to make room for newer text. A record that has none, or whose block lies further
    // on, outlives newer ones, so that these may be gone in between.
    if (has_records_) overwritten_.push_back(seq_of(id));
  } else {
    return read_record(*descriptor, *info, result);
  }
  return std::nullopt;
}

std::optional<LogRecord> RingReader::read_record(const Descriptor& descriptor,
                                                 const StructView& info, KernelLog& result) {
  LogRecord record;
  record.seq = info.number("seq");
  const std::uint64_t text_length = info.number("text_len");
  const bool right_seq = record.seq == seq_of(descriptor.id);
  if (descriptor.state == DescriptorState::Reserved && (text_length == 0 || !right_seq)) {
    keep_half_text(descriptor, result);
    unfinished_.push_back(seq_of(descriptor.id));
    return std::nullopt;
  }
  if (!right_seq) {
    damaged_.push_back(seq_of(descriptor.id));
    return std::nullopt;
  }
  fill_info(record, info);
  const std::uint64_t flags = info.number("flags");
  record.continues = (flags & continuation_flag) != 0;
  record.state = state_of(descriptor, flags);
  read_text(record, descriptor, text_length);
  return record;
}

void RingReader::keep_half_text(const Descriptor& descriptor, KernelLog& result) {
  const std::optional<TextBlock> block = texts_.find_block(descriptor);
  if (!block || !texts_.is_in_first_lap(descriptor)) return;
  std::optional<std::string> text = memory_.read_text(block->address, block->size);
  if (!text) return;
  UnloggedText unlogged;
  unlogged.seq = seq_of(descriptor.id);
  unlogged.level = take_level_prefix(*text);
  unlogged.text = std::move(*text);
  if (!unlogged.text.empty()) result.unlogged.push_back(std::move(unlogged));
}

void RingReader::fill_info(LogRecord& record, const StructView& info) const {
  record.ts_nsec = info.number("ts_nsec");
  record.facility = static_cast<std::uint8_t>(info.number("facility"));
  record.level = static_cast<std::uint8_t>(info.number("level"));
  const auto caller = static_cast<std::uint32_t>(info.number("caller_id"));
  record.caller =
      LogCaller{(caller & caller_is_cpu) != 0 ? LogCaller::Kind::Cpu : LogCaller::Kind::Task,
                caller & ~caller_is_cpu};
  const StructView device = info.nested("dev_info", layouts_.device_info);
  // As msg_print_ext_body() does: an empty value has no entry.
  if (std::string subsystem = device.text("subsystem"); !subsystem.empty()) {
    record.dictionary.emplace_back("SUBSYSTEM", std::move(subsystem));
  }
  if (std::string name = device.text("device"); !name.empty()) {
    record.dictionary.emplace_back("DEVICE", std::move(name));
  }
}

void RingReader::read_text(LogRecord& record, const Descriptor& descriptor, std::uint64_t length) {
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
    truncated_.push_back(record.seq);
  }
  record.text.resize(std::min(length, block->size));
  if (!memory_.read(block->address, std::as_writable_bytes(std::span(record.text)))) {
    record.text.clear();
    lose_text(record);
  }
}

void RingReader::lose_text(LogRecord& record) {
  record.state = LogRecord::State::TextLost;
  texts_lost_.push_back(record.seq);
}

void RingReader::report_losses(KernelLog& result) const {
  const auto report = [&](const std::vector<std::uint64_t>& seqs, std::string_view what) {
    if (!seqs.empty()) result.losses.push_back(describe_loss(seqs, what));
  };
  report(unfinished_, "being written when the guest stopped, not in the log");
  report(overwritten_, "that the kernel has overwritten, though it still has older ones");
  report(damaged_, "with a damaged descriptor, not shown");
  report(unreadable_, "in memory that can't be read, not shown");
  report(texts_lost_, "whose text the kernel has lost or overwritten");
  report(truncated_, "with less text than they should have");
}

}  // namespace photon_dmesg
