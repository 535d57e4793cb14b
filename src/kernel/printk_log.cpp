#include "kernel/printk_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "kernel/known_layouts.h"
#include "kernel/log_losses.h"
#include "kernel/struct_view.h"

namespace photon_dmesg {
namespace {

// LOG_ALIGN: __alignof__(struct printk_log), 4 where accesses need not be aligned, as on x86.
constexpr std::uint64_t record_alignment = 4;

// log_buf_len is at most 1 << 31 (LOG_BUF_LEN_MAX) since 4.19 and was never set higher.
constexpr std::uint64_t largest_buffer = std::uint64_t{1} << 31;

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;

const StructLayout& record_layout(const KernelSymbols& symbols) {
  // Named `struct log` before 3.11.
  for (const char* name : {"printk_log", "log"}) {
    if (const StructLayout* layout = symbols.find_struct(name)) return *layout;
  }
  return known_printk_log_layout();
}

class LogBufferReader {
 public:
  LogBufferReader(const GuestKernel& kernel, Diagnostics& diagnostics)
      : layout_(record_layout(kernel.symbols())),
        flags_(layout_.find("flags")),
        caller_(layout_.find("caller_id")),
        first_seq_(kernel.variable("log_first_seq", 8)),
        next_seq_(kernel.variable("log_next_seq", 8)),
        first_index_(kernel.variable("log_first_idx", 4)),
        next_index_(kernel.variable("log_next_idx", 4)) {
    const GuestVirtual address{kernel.variable("log_buf", 8)};
    const std::uint64_t length = kernel.variable("log_buf_len", 4);
    diagnostics.note(fmt::format(
        "log: {} bytes of struct {} at {} (variable log_buf at {}), sequence numbers {} to {}, "
        "from index {:#x} to {:#x}",
        length, layout_.name(), address, kernel.address("log_buf"), first_seq_, next_seq_,
        first_index_, next_index_));
    check_indices(length);
    read_buffer(kernel.memory(), address, length);
  }

  KernelLog read() {
    std::uint64_t index = first_index_;
    // By number, not by index: the first index equals the next one when the buffer is full.
    for (std::uint64_t seq = first_seq_; seq < next_seq_; ++seq) {
      if (!is_sound(index) || (has_wrap_mark(index) && !is_wrap(index, next_seq_ - seq))) {
        const std::optional<Chain> rest = resume_after(index, next_seq_ - seq - 1);
        const std::uint64_t resumed = rest ? next_seq_ - rest->records : next_seq_;
        lose(seq, resumed);
        if (!rest) break;
        seq = resumed;
        index = rest->index;
      }
      add_record(seq, index);
      index = index_after(index);
    }
    if (!damaged_.empty()) {
      log_.losses.push_back(describe_loss(damaged_, "damaged, not shown"));
    }
    return std::move(log_);
  }

 private:
  static constexpr std::uint32_t not_counted = std::numeric_limits<std::uint32_t>::max();

  struct Header {
    std::uint64_t length = 0;  // of the whole record; 0 marks the wrap to the buffer's beginning
    std::uint64_t text_length = 0;
    std::uint64_t dictionary_length = 0;
  };

  // Piece by piece: a damaged length or address shows before much memory is taken for it.
  void read_buffer(const KernelMemory& memory, GuestVirtual address, std::uint64_t length) {
    constexpr std::uint64_t piece = 1024 * 1024;
    while (buffer_.size() < length) {
      const std::uint64_t done = buffer_.size();
      buffer_.resize(std::min(done + piece, length));
      if (!memory.read(address + done, std::span(buffer_).subspan(done))) {
        throw unusable(
            fmt::format("the guest's memory at {} (log_buf, {} bytes) can't be read: "
                        "not mapped",
                        address, length));
      }
    }
  }

  void check_indices(std::uint64_t length) const {
    const std::uint64_t smallest = layout_.size();
    if (length < smallest || length > largest_buffer || first_index_ >= length ||
        next_index_ > length || next_seq_ < first_seq_ ||
        next_seq_ - first_seq_ > length / smallest) {
      throw unusable(fmt::format(
          "the log's variables are not sane: {} bytes (log_buf_len), records {} to {}, from index "
          "{:#x} to {:#x}",
          length, first_seq_, next_seq_, first_index_, next_index_));
    }
  }

  // Whether `index` is on the stretch from the first record to the buffer's end, behind which the
  // log goes on at the beginning. A log that ends behind its first record has no such stretch.
  [[nodiscard]] bool before_wrap(std::uint64_t index) const {
    return next_index_ <= first_index_ && index >= first_index_;
  }

  // Where the record that should stand at `index` really stands: at the beginning, if `index` is
  // too close to the end for a header or holds the wrap mark.
  [[nodiscard]] std::uint64_t unwrap(std::uint64_t index) const {
    const bool fits = index + layout_.size() <= buffer_.size();
    return !fits || (before_wrap(index) && view(index).number("len") == 0) ? 0 : index;
  }

  [[nodiscard]] StructView view(std::uint64_t index) const {
    return {layout_, std::span(buffer_).subspan(index, layout_.size())};
  }

  [[nodiscard]] Header header(std::uint64_t index) const {
    const StructView record = view(index);
    return {record.number("len"), record.number("text_len"), record.number("dict_len")};
  }

  // Whether a whole record stands at `index` (or behind the wrap mark there).
  [[nodiscard]] bool is_sound(std::uint64_t index) const {
    if (index % record_alignment != 0 || index > buffer_.size()) {
      return false;
    }
    const std::uint64_t place = unwrap(index);
    if (place != index && !before_wrap(index)) {
      return false;
    }
    const std::uint64_t end = before_wrap(place) ? buffer_.size() : next_index_;
    const Header record = header(place);
    const std::uint64_t content = layout_.size() + record.text_length + record.dictionary_length;
    return record.length % record_alignment == 0 && content <= record.length &&
           record.length < content + record_alignment && place <= end &&
           record.length <= end - place;
  }

  [[nodiscard]] std::uint64_t index_after(std::uint64_t index) const {
    const std::uint64_t place = unwrap(index);
    return place + header(place).length;
  }

  // A run of sound records that ends exactly at log_next_idx.
  struct Chain {
    std::uint64_t index = 0;
    std::uint64_t records = 0;
  };

  // How many sound records lead from `index` exactly to log_next_idx; 0 if none do. Every place on
  // the way is remembered, so that all calls together take linear time.
  [[nodiscard]] std::uint64_t chain_length(std::uint64_t index) {
    chain_lengths_.resize(buffer_.size() / record_alignment + 1, not_counted);
    std::vector<std::uint64_t> way;
    std::uint32_t length = 0;
    while (is_sound(index)) {
      const std::uint32_t known = chain_lengths_[index / record_alignment];
      if (known != not_counted) {
        length = known;
        break;
      }
      way.push_back(index);
      index = index_after(index);
      if (index == next_index_) {
        chain_lengths_[way.back() / record_alignment] = length = 1;
        way.pop_back();
        break;
      }
    }
    const bool arrives = length > 0;
    for (; !way.empty(); way.pop_back()) {
      chain_lengths_[way.back() / record_alignment] = arrives ? ++length : 0;
    }
    return length;
  }

  // The first chain of at most `most` records that begins in [begin, end).
  std::optional<Chain> find_chain(std::uint64_t begin, std::uint64_t end, std::uint64_t most) {
    for (std::uint64_t at = begin; at + layout_.size() <= end; at += record_alignment) {
      if (header(at).length == 0) continue;
      const std::uint64_t records = chain_length(at);
      if (records > 0 && records <= most) {
        return Chain{at, records};
      }
    }
    return std::nullopt;
  }

  // Behind a damaged record the next sound one is not known. The first place from which records
  // follow each other up to the log's end is; counting them from the end gives their numbers.
  std::optional<Chain> resume_after(std::uint64_t index, std::uint64_t most) {
    const std::uint64_t next = index + record_alignment;
    if (!before_wrap(index)) {
      return find_chain(next, next_index_, most);
    }
    const std::optional<Chain> chain = find_chain(next, buffer_.size(), most);
    return chain ? chain : find_chain(0, next_index_, most);
  }

  [[nodiscard]] bool has_wrap_mark(std::uint64_t index) const {
    return unwrap(index) != index && index + layout_.size() <= buffer_.size();
  }

  // Whether the wrap mark at `index` is one, and not a damaged record whose length became 0:
  // `remaining` records follow at the beginning, or at least none follow behind the mark. (What an
  // earlier lap left there leads to more records than remain.)
  [[nodiscard]] bool is_wrap(std::uint64_t index, std::uint64_t remaining) {
    return chain_length(0) == remaining ||
           !find_chain(index + record_alignment, buffer_.size(), remaining - 1);
  }

  void lose(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t seq = first; seq < last; ++seq) {
      damaged_.push_back(seq);
    }
  }

  void add_record(std::uint64_t seq, std::uint64_t index) {
    const std::uint64_t place = unwrap(index);
    const StructView record = view(place);
    const Header lengths = header(place);
    LogRecord result;
    result.seq = seq;
    result.ts_nsec = record.number("ts_nsec");
    result.level = static_cast<std::uint8_t>(record.number("level"));
    if (flags_ != nullptr) {  // 3.5 had a 16-bit level in place of facility, flags and level
      result.facility = static_cast<std::uint8_t>(record.number("facility"));
    }
    if (caller_ != nullptr) {
      const auto caller = static_cast<std::uint32_t>(record.number(*caller_));
      result.caller =
          LogCaller{(caller & caller_is_cpu) != 0 ? LogCaller::Kind::Cpu : LogCaller::Kind::Task,
                    caller & ~caller_is_cpu};
    }
    const std::string_view content(
        reinterpret_cast<const char*>(buffer_.data()) + place + layout_.size(),
        lengths.text_length + lengths.dictionary_length);
    result.text = content.substr(0, lengths.text_length);
    add_dictionary(result, content.substr(lengths.text_length));
    log_.records.push_back(std::move(result));
  }

  // KEY=value strings, a NUL between them.
  static void add_dictionary(LogRecord& record, std::string_view entries) {
    while (!entries.empty()) {
      const std::string_view entry = entries.substr(0, entries.find('\0'));
      entries.remove_prefix(std::min(entries.size(), entry.size() + 1));
      const std::size_t key_length = std::min(entry.find('='), entry.size());
      record.dictionary.emplace_back(entry.substr(0, key_length),
                                     entry.substr(std::min(entry.size(), key_length + 1)));
    }
  }

  const StructLayout& layout_;
  const MemberLayout* flags_;
  const MemberLayout* caller_;
  std::uint64_t first_seq_;
  std::uint64_t next_seq_;
  std::uint64_t first_index_;
  std::uint64_t next_index_;
  std::vector<std::byte> buffer_;
  std::vector<std::uint32_t> chain_lengths_;  // by index / record_alignment
  std::vector<std::uint64_t> damaged_;
  KernelLog log_;
};

}  // namespace

KernelLog read_printk_log(const GuestKernel& kernel, Diagnostics& diagnostics) {
  return LogBufferReader(kernel, diagnostics).read();
}

}  // namespace photon_dmesg
