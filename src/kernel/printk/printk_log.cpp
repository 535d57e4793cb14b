#include "kernel/printk/printk_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/memory/struct_view.h"
#include "kernel/printk/log_losses.h"
#include "kernel/printk/printk_log_buffer.h"
#include "kernel/printk/static_records.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;
constexpr std::uint64_t continuation_flag = 8;  // LOG_CONT

const StructLayout& record_layout(const KernelSymbols& symbols) {
  // Named `struct log` before 3.11.
  for (const char* name : {"printk_log", "log"}) {
    if (const StructLayout* layout = symbols.find_struct(name)) return *layout;
  }
  return known_printk_log_layout();
}

// Where the log begins and ends in its buffer, by index and by sequence number.
struct LogRange {
  std::uint64_t first_seq = 0;
  std::uint64_t next_seq = 0;
  std::uint64_t first_index = 0;
  std::uint64_t next_index = 0;
};

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
    if (const auto count = buffer.count_records(first, next)) {
      return PrintkLogBuffer::Extent{first, next, *count};
    }
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
  if (extent->first_index != 0 || !buffer.content(0).starts_with(banner_prefix)) {
    diagnostics.warn(
        "the kernel's sequence numbers are not known: the oldest record found is counted as 0");
  }
  return {0, extent->records, extent->first_index, extent->next_index};
}

void check_range(const LogRange& range, const PrintkLogBuffer& buffer) {
  const std::uint64_t smallest = buffer.layout().size();
  if (buffer.size() < smallest || range.first_index >= buffer.size() ||
      range.next_index > buffer.size() || range.next_seq < range.first_seq ||
      range.next_seq - range.first_seq > buffer.size() / smallest) {
    throw unusable(fmt::format(
        "the log's variables are not sane: {} bytes (log_buf_len), records {} to {}, from index "
        "{:#x} to {:#x}",
        buffer.size(), range.first_seq, range.next_seq, range.first_index, range.next_index));
  }
}

PrintkLogBuffer read_log_buffer(const GuestKernel& kernel) {
  const GuestVirtual address{kernel.variable("log_buf", 8)};
  const std::uint64_t length = kernel.variable("log_buf_len", 4);
  if (length > PrintkLogBuffer::largest_size) {
    throw unusable(fmt::format("log_buf_len: expected at most {} bytes, found {}",
                               PrintkLogBuffer::largest_size, length));
  }
  return PrintkLogBuffer::read(kernel.memory(), address, length, record_layout(kernel.symbols()));
}

class LogBufferReader {
 public:
  LogBufferReader(const PrintkLogBuffer& buffer, const LogRange& range)
      : buffer_(buffer),
        flags_(buffer.layout().find("flags")),
        caller_(buffer.layout().find("caller_id")),
        first_seq_(range.first_seq),
        next_seq_(range.next_seq),
        first_index_(range.first_index),
        next_index_(range.next_index) {}

  // See StoredLog::read().
  void read(const RecordSink& sink, KernelLog& result, bool last_is_unindexed) {
    std::uint64_t index = first_index_;
    // By number, not by index: the first index equals the next one when the buffer is full.
    for (std::uint64_t seq = first_seq_; seq < next_seq_; ++seq) {
      if (!is_sound(index) || (has_wrap_mark(index) && !is_wrap(index, next_seq_ - seq))) {
        const std::optional<Chain> rest = resume_after(index, next_seq_ - seq - 1);
        const std::uint64_t resumed = rest ? next_seq_ - rest->records : next_seq_;
        damaged_.add(seq, resumed - seq);
        if (!rest) break;
        seq = resumed;
        index = rest->index;
      }
      LogRecord record = read_record(seq, index);
      if (last_is_unindexed && seq + 1 == next_seq_) record.state = LogRecord::State::Unindexed;
      if (!sink(std::move(record))) return;
      index = index_after(index);
    }
    damaged_.report("damaged, not shown", result.losses);
  }

 private:
  static constexpr std::uint32_t not_counted = std::numeric_limits<std::uint32_t>::max();

  static constexpr std::uint64_t record_alignment = PrintkLogBuffer::record_alignment;

  // Whether `index` is on the stretch from the first record to the buffer's end, behind which the
  // log goes on at the beginning. A log that ends behind its first record has no such stretch.
  [[nodiscard]] bool before_wrap(std::uint64_t index) const {
    return next_index_ <= first_index_ && index >= first_index_;
  }

  // Where the record that should stand at `index` really stands: at the beginning, if `index` is
  // too close to the end for a header or holds the wrap mark.
  [[nodiscard]] std::uint64_t unwrap(std::uint64_t index) const {
    const bool fits = buffer_.has_room_for_header(index);
    return !fits || (before_wrap(index) && buffer_.header(index).length == 0) ? 0 : index;
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
    return buffer_.is_record(place, before_wrap(place) ? buffer_.size() : next_index_);
  }

  [[nodiscard]] std::uint64_t index_after(std::uint64_t index) const {
    const std::uint64_t place = unwrap(index);
    return place + buffer_.header(place).length;
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
    for (std::uint64_t at = begin; at + buffer_.layout().size() <= end; at += record_alignment) {
      if (buffer_.header(at).length == 0) continue;
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
    return unwrap(index) != index && buffer_.has_room_for_header(index);
  }

  // Whether the wrap mark at `index` is one, and not a damaged record whose length became 0:
  // `remaining` records follow at the beginning, or at least none follow behind the mark. (What an
  // earlier lap left there leads to more records than remain.)
  [[nodiscard]] bool is_wrap(std::uint64_t index, std::uint64_t remaining) {
    return chain_length(0) == remaining ||
           !find_chain(index + record_alignment, buffer_.size(), remaining - 1);
  }

  [[nodiscard]] LogRecord read_record(std::uint64_t seq, std::uint64_t index) const {
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

  const PrintkLogBuffer& buffer_;
  const MemberLayout* flags_;
  const MemberLayout* caller_;
  std::uint64_t first_seq_;
  std::uint64_t next_seq_;
  std::uint64_t first_index_;
  std::uint64_t next_index_;
  std::vector<std::uint32_t> chain_lengths_;  // by index / record_alignment
  LossCounter damaged_;
};

class StoredPrintkLog : public StoredLog {
 public:
  StoredPrintkLog(PrintkLogBuffer buffer, const LogRange& range, bool last_is_unindexed)
      : buffer_(std::move(buffer)), range_(range), last_is_unindexed_(last_is_unindexed) {}

  [[nodiscard]] std::uint64_t next_seq() const override { return range_.next_seq; }

  void read(const RecordSink& sink, KernelLog& result) const override {
    LogBufferReader(buffer_, range_).read(sink, result, last_is_unindexed_);
  }

 private:
  PrintkLogBuffer buffer_;
  LogRange range_;
  bool last_is_unindexed_;
};

// The kernel moves index and number one after the other. Stopped in between, there is one record
// more or less between the indices than the numbers say. Corrects the range; true if its last
// record is one that the kernel had stored and not yet counted.
bool mend_skew(LogRange& range, const PrintkLogBuffer& buffer, Diagnostics& diagnostics) {
  const std::uint64_t counted = range.next_seq - range.first_seq;
  const std::optional<std::uint64_t> found =
      buffer.count_records(range.first_index, range.next_index);
  if (!found || (*found != counted + 1 && *found + 1 != counted)) return false;
  if (*found == counted + 1) {
    ++range.next_seq;
    diagnostics.found({.what = "the last record was stored, but not yet counted",
                       .where = "log",
                       .how = "there is one more than its numbers say"});
    return true;
  }
  const std::uint64_t next = range.next_index;
  if (buffer.is_likely_record(next) && buffer.ts_nsec(next) >= buffer.ts_nsec(range.first_index)) {
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
  return false;
}

// The bytes at `address` up to a stretch of zeros, or where nothing is mapped: a buffer whose size
// is not known, and which was not used to its end.
std::vector<std::byte> read_used_part(const KernelMemory& memory, GuestVirtual address) {
  constexpr std::uint64_t piece = 64 * 1024;
  constexpr std::uint64_t largest = 32 * 1024 * 1024;
  std::vector<std::byte> bytes;
  while (bytes.size() < largest) {
    const std::size_t done = bytes.size();
    bytes.resize(done + piece);
    const std::span<std::byte> last = std::span(bytes).subspan(done);
    if (!memory.read(address + done, last)) {
      bytes.resize(done);
      break;
    }
    if (std::all_of(last.begin(), last.end(), [](std::byte b) { return b == std::byte{0}; })) break;
  }
  return bytes;
}

// The buffer that the kernel used until it took a larger one, if it did. It never wraps so early in
// any kernel that fits it; if it had, its first record would not be the first there was.
std::vector<LogRecord> read_static_buffer(const GuestKernel& kernel, const StructLayout& layout,
                                          const StoredLog& log, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> address = kernel.find_address("__log_buf");
  if (!address || address->value == kernel.variable("log_buf", 8)) return {};
  const PrintkLogBuffer buffer(layout, read_used_part(kernel.memory(), *address));
  const PrintkLogBuffer::Extent extent = buffer.extent_of_first_lap();
  if (extent.records == 0 || !buffer.content(0).starts_with(banner_prefix)) {
    diagnostics.found({.what = "nothing recovered from early boot",
                       .where = fmt::format("static log_buf at {}", *address),
                       .how = "it does not begin with the banner"});
    return {};
  }
  const LogRange range{0, extent.records, 0, extent.next_index};
  std::vector<LogRecord> lost =
      lost_records(collect_records(StoredPrintkLog(buffer, range, false)), log);
  diagnostics.found({.what = "records recovered from early boot",
                     .value = fmt::format("{}", lost.size()),
                     .where = fmt::format("static log_buf at {}", *address)});
  return lost;
}

}  // namespace

std::unique_ptr<StoredLog> open_printk_log(const GuestKernel& kernel, Diagnostics& diagnostics) {
  PrintkLogBuffer buffer = read_log_buffer(kernel);
  const bool range_known = kernel.find_address("log_first_seq").has_value();
  LogRange range = range_known ? read_range(kernel) : derive_range(kernel, buffer, diagnostics);
  check_range(range, buffer);
  const bool last_is_unindexed = mend_skew(range, buffer, diagnostics);
  diagnostics.found({.what = fmt::format("struct {} at", buffer.layout().name()),
                     .value = fmt::format("{:#x}", kernel.variable("log_buf", 8)),
                     .where = "log",
                     .how = fmt::format("the variable log_buf at {} says so; {} bytes, sequence "
                                        "numbers {} to {}, from index {:#x} to {:#x}",
                                        kernel.address("log_buf"), buffer.size(), range.first_seq,
                                        range.next_seq, range.first_index, range.next_index)});
  const StructLayout& layout = buffer.layout();  // the symbols' own
  auto log = std::make_unique<StoredPrintkLog>(std::move(buffer), range, last_is_unindexed);
  std::vector<LogRecord> lost = read_static_buffer(kernel, layout, *log, diagnostics);
  return put_before(std::move(lost), std::move(log));
}

}  // namespace photon_dmesg
