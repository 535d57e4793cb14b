#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/memory/known_layouts.h"
#include "kernel/printk/ring_descriptors.h"
#include "kernel/printk/ring_texts.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// What a ring holds.
struct RingExtent {
  std::uint64_t records = 0;   // that are in their place
  std::uint64_t last_seq = 0;  // of these
};

// The records of a printk_ringbuffer, put together from its three rings.
class RingReader {
 public:
  // `memory` and `layouts` must outlive the reader. `first_seq`: what an earlier reader of this
  // ring found. Throws Error(UnusableInput) when the ring's header can't be read or is not sane.
  RingReader(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts,
             std::optional<std::uint64_t> first_seq = std::nullopt);

  [[nodiscard]] const Ring& ring() const { return ring_; }

  // The stored records that have the sequence number that their place says.
  [[nodiscard]] RingExtent extent();

  // Of the record behind the newest.
  [[nodiscard]] std::uint64_t next_seq() const { return seq_of(ring_.head_id) + 1; }

  // Of the oldest.
  [[nodiscard]] std::uint64_t first_seq() const { return first_seq_; }

  // See StoredLog::read().
  void read(const RecordSink& sink, KernelLog& result);

 private:
  template <typename Visit>
  void for_each_id(Visit visit);

  // What number the oldest id has, by the record of `id`: ids and sequence numbers advance
  // together. Nothing if no record is stored there.
  [[nodiscard]] std::optional<std::uint64_t> first_seq_by(std::uint64_t id);

  // The majority decides (Boyer and Moore's vote): one damaged number can't spoil the others.
  void vote_on_first_seq();

  [[nodiscard]] std::uint64_t seq_of(std::uint64_t id) const {
    return first_seq_ + descriptors_.distance(id);
  }

  std::optional<LogRecord> read_slot(std::uint64_t id, KernelLog& result);
  std::optional<LogRecord> read_record(const Descriptor& descriptor, const StructView& info,
                                       KernelLog& result);

  // A reserved record's length is set when its text is done; until then the text ends where the
  // writer has come to. Behind that stands what was there before: zeros in the ring's first lap,
  // where the end shows, and later anything, so that nothing can be said of the text.
  void keep_half_text(const Descriptor& descriptor, KernelLog& result);

  void fill_info(LogRecord& record, const StructView& info) const;
  void read_text(LogRecord& record, const Descriptor& descriptor, std::uint64_t length);
  void lose_text(LogRecord& record);
  void report_losses(KernelLog& result) const;

  const KernelMemory& memory_;
  const RingLayouts& layouts_;
  Ring ring_;
  DescriptorRing descriptors_;
  TextRing texts_;
  bool has_records_ = false;  // whether one was handed over
  bool stopped_ = false;      // no more are wanted
  std::uint64_t first_seq_;   // of tail_id
  // Sequence numbers of the records that something is wrong with.
  std::vector<std::uint64_t> unfinished_;
  std::vector<std::uint64_t> overwritten_;
  std::vector<std::uint64_t> damaged_;
  std::vector<std::uint64_t> unreadable_;
  std::vector<std::uint64_t> texts_lost_;
  std::vector<std::uint64_t> truncated_;
};

}  // namespace photon_dmesg
