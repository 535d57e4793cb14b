#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "kernel/printk/log_losses.h"
#include "kernel/printk/log_record.h"
#include "kernel/printk/printk_log_buffer.h"
#include "kernel/printk/printk_log_range.h"

namespace photon_dmesg {

// The records of a log of 3.5 to 5.9, one after the other, and over what is damaged to the next run
// of sound ones.
class PrintkLogReader {
 public:
  // `buffer` must outlive the reader.
  PrintkLogReader(const PrintkLogBuffer& buffer, const LogRange& range)
      : buffer_(buffer),
        flags_(buffer.layout().find("flags")),
        caller_(buffer.layout().find("caller_id")),
        range_(range) {}

  // See StoredLog::read_before().
  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result);

 private:
  static constexpr std::uint32_t not_counted = std::numeric_limits<std::uint32_t>::max();

  static constexpr std::uint64_t record_alignment = PrintkLogBuffer::record_alignment;

  // Whether `index` is on the stretch from the first record to the buffer's end, behind which the
  // log goes on at the beginning. A log that ends behind its first record has no such stretch.
  [[nodiscard]] bool before_wrap(std::uint64_t index) const {
    return range_.next_index <= range_.first_index && index >= range_.first_index;
  }

  // Where the record that should stand at `index` really stands: at the beginning, if `index` is
  // too close to the end for a header or holds the wrap mark.
  [[nodiscard]] std::uint64_t unwrap(std::uint64_t index) const;

  // Whether a whole record stands at `index` (or behind the wrap mark there).
  [[nodiscard]] bool is_sound(std::uint64_t index) const;

  [[nodiscard]] std::uint64_t index_after(std::uint64_t index) const;

  // A run of sound records that ends exactly at log_next_idx.
  struct Chain {
    std::uint64_t index = 0;
    std::uint64_t records = 0;
  };

  // How many sound records lead from `index` exactly to log_next_idx; 0 if none do. Every place on
  // the way is remembered, so that all calls together take linear time.
  [[nodiscard]] std::uint64_t chain_length(std::uint64_t index);

  // The first chain of at most `most` records that begins in [begin, end).
  std::optional<Chain> find_chain(std::uint64_t begin, std::uint64_t end, std::uint64_t most);

  // Behind a damaged record the next sound one is not known. The first place from which records
  // follow each other up to the log's end is; counting them from the end gives their numbers.
  std::optional<Chain> resume_after(std::uint64_t index, std::uint64_t most);

  [[nodiscard]] bool has_wrap_mark(std::uint64_t index) const {
    return unwrap(index) != index && buffer_.has_room_for_header(index);
  }

  // Whether the wrap mark at `index` is one, and not a damaged record whose length became 0:
  // `remaining` records follow at the beginning, or at least none follow behind the mark. (What an
  // earlier lap left there leads to more records than remain.)
  [[nodiscard]] bool is_wrap(std::uint64_t index, std::uint64_t remaining);

  [[nodiscard]] LogRecord read_record(std::uint64_t seq, std::uint64_t index) const;

  const PrintkLogBuffer& buffer_;
  const MemberLayout* flags_;
  const MemberLayout* caller_;
  LogRange range_;
  std::vector<std::uint32_t> chain_lengths_;  // by index / record_alignment
  LossCounter damaged_;
  LossCounter ends_wrongly_;
};

}  // namespace photon_dmesg
