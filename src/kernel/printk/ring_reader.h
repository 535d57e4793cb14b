#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/budget.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/printk/log_losses.h"
#include "kernel/printk/ring_descriptors.h"
#include "kernel/printk/ring_texts.h"
#include "kernel/printk/ring_window.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// The records of a printk_ringbuffer, put together from its three rings.
class RingReader {
 public:
  // `memory` and `layouts` must outlive the reader. `window`: what an earlier reader of this ring
  // found. Throws Error(UnusableInput) when the ring's header can't be read or is not sane.
  RingReader(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts,
             std::optional<RingWindow> window = std::nullopt);

  // The header as it is in memory.
  [[nodiscard]] const Ring& ring() const { return ring_; }

  [[nodiscard]] const RingWindow& window() const { return window_; }

  // Of the record behind the newest.
  [[nodiscard]] std::uint64_t next_seq() const { return seq_of(window_.head_id) + 1; }

  // See StoredLog::read_before().
  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result);

 private:
  [[nodiscard]] std::uint64_t seq_of(std::uint64_t id) const {
    return window_.first_seq + descriptors_.distance(id);
  }

  // Whether the id is newer than every record that is stored.
  [[nodiscard]] bool is_behind_stored(std::uint64_t id) const {
    return window_.records == 0 ? descriptors_.is_newest(id) : seq_of(id) > window_.last_seq;
  }

  std::optional<LogRecord> read_slot(std::uint64_t id, KernelLog& result);
  std::optional<LogRecord> read_record(const Descriptor& descriptor, const StructView& info,
                                       KernelLog& result);

  // A reserved record's length is set when its text is done; until then the text ends where the
  // writer has come to. Behind that stands what was there before: zeros in the ring's first lap,
  // where the end shows, and later anything, so that nothing can be said of the text. `length`: 0
  // until it is set.
  void keep_half_text(const Descriptor& descriptor, std::uint64_t length, KernelLog& result);

  void fill_info(LogRecord& record, const StructView& info) const;
  void read_text(LogRecord& record, const Descriptor& descriptor, std::uint64_t length,
                 bool newline);

  // By what stands behind the text in `record`, of which its first `length` bytes are the text.
  void judge_length(const LogRecord& record, std::size_t length, bool newline, bool first_lap);
  void lose_text(LogRecord& record);
  void report_losses(KernelLog& result) const;

  const KernelMemory& memory_;
  const RingLayouts& layouts_;
  // What each record is asked for.
  struct Members {
    explicit Members(const RingLayouts& layouts);

    const MemberLayout& seq;
    const MemberLayout& time;
    const MemberLayout& text_length;
    const MemberLayout& facility;
    const MemberLayout& flags;
    const MemberLayout& level;
    const MemberLayout& caller;
    const MemberLayout& device_info;
    const MemberLayout& subsystem;
    const MemberLayout& device;
  };
  Members members_;
  Ring ring_;
  RingWindow window_;
  DescriptorRing descriptors_;
  TextRing texts_;
  Budget half_texts_;
  bool has_records_ = false;     // whether one was handed over
  bool stopped_ = false;         // no more are wanted
  std::uint64_t last_time_ = 0;  // the latest of the records before
  // The records that something is wrong with.
  LossCounter unfinished_;
  LossCounter overwritten_;
  LossCounter given_up_;
  LossCounter damaged_;
  LossCounter unreadable_;
  LossCounter texts_lost_;
  LossCounter truncated_;
  LossCounter length_contradicted_;
  LossCounter unfinished_lines_;
  // By what stands behind the texts.
  std::uint64_t printed_ = 0;
  std::uint64_t copied_surely_ = 0;  // nothing but zeros follow
  LossCounter copied_;               // anything follows
};

}  // namespace photon_dmesg
