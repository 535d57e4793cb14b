#include "kernel/printk/printk_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/printk/printk_log_buffer.h"
#include "kernel/printk/printk_log_range.h"
#include "kernel/printk/printk_log_reader.h"
#include "kernel/printk/static_records.h"

namespace photon_dmesg {
namespace {

const StructLayout& record_layout(const KernelSymbols& symbols) {
  // Named `struct log` before 3.11.
  for (const char* name : {"printk_log", "log"}) {
    if (const StructLayout* layout = symbols.find_struct(name)) return *layout;
  }
  return known_printk_log_layout();
}

// Where log_buf is, and where it points to.
struct LogBufVariable {
  GuestVirtual address;
  GuestVirtual value;
};

LogBufVariable read_log_buf(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> address = kernel.at_run_time(find_log_buf(kernel.symbols()));
  const auto value =
      address ? kernel.memory().read_unsigned(*address, sizeof(std::uint64_t)) : std::nullopt;
  if (!value) {
    throw unusable(
        fmt::format("{}: expected the variable log_buf in the guest's memory, found none",
                    kernel.symbols().name()));
  }
  return {*address, {*value}};
}

PrintkLogBuffer read_log_buffer(const GuestKernel& kernel, GuestVirtual address) {
  const std::uint64_t length = kernel.variable("log_buf_len", 4);
  if (length > PrintkLogBuffer::largest_size) {
    throw unusable(fmt::format("log_buf_len: expected at most {} bytes, found {}",
                               PrintkLogBuffer::largest_size, length));
  }
  return PrintkLogBuffer::read(kernel.memory(), address, length, record_layout(kernel.symbols()));
}

class StoredPrintkLog : public StoredLog {
 public:
  StoredPrintkLog(PrintkLogBuffer buffer, const LogRange& range)
      : buffer_(std::move(buffer)), range_(range) {}

  [[nodiscard]] std::uint64_t next_seq() const override { return range_.next_seq; }

  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) const override {
    PrintkLogReader(buffer_, range_).read_before(end, sink, result);
  }

 private:
  PrintkLogBuffer buffer_;
  LogRange range_;
};

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

// The log in the buffer that the kernel used until it took a larger one. It never wraps so early in
// any kernel that fits it; if it had, its first record would not be the first there was.
std::unique_ptr<StoredLog> open_static_buffer(const KernelMemory& memory, GuestVirtual address,
                                              const StructLayout& layout) {
  PrintkLogBuffer buffer(layout, read_used_part(memory, address));
  if (!buffer.begins_at_boot()) {
    throw unusable("it does not begin with the kernel's first records");
  }
  const PrintkLogBuffer::Extent extent = buffer.extent_of_first_lap();
  const LogRange range{.next_seq = extent.records,
                       .next_index = extent.next_index,
                       .ends_in_damage = buffer.has_records_behind(extent.next_index)};
  return std::make_unique<StoredPrintkLog>(std::move(buffer), range);
}

// `log`, with what it has lost of the static buffer, if the kernel took another.
std::unique_ptr<StoredLog> with_static_buffer(std::unique_ptr<StoredLog> log,
                                              const GuestKernel& kernel, const StructLayout& layout,
                                              GuestVirtual in_use, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> address = kernel.find_address("__log_buf");
  if (!address || *address == in_use) return log;
  const auto open = [&] { return open_static_buffer(kernel.memory(), *address, layout); };
  return with_beginning(std::move(log), {fmt::format("static log_buf at {}", *address), open},
                        diagnostics);
}

}  // namespace

std::optional<GuestVirtual> find_log_buf(const KernelSymbols& symbols) {
  if (const auto found = symbols.find_symbol("log_buf")) return found;
  return symbols.find_beside("log_buf", "log_buf_len");
}

std::unique_ptr<StoredLog> open_printk_log(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const LogBufVariable log_buf = read_log_buf(kernel);
  PrintkLogBuffer buffer = read_log_buffer(kernel, log_buf.value);
  const LogRange range = find_log_range(kernel, buffer, diagnostics);
  diagnostics.found({.what = fmt::format("struct {} at", buffer.layout().name()),
                     .value = fmt::format("{}", log_buf.value),
                     .where = "log",
                     .how = fmt::format("the variable log_buf at {} says so; {} bytes, sequence "
                                        "numbers {} to {}, from index {:#x} to {:#x}",
                                        log_buf.address, buffer.size(), range.first_seq,
                                        range.next_seq, range.first_index, range.next_index)});
  const StructLayout& layout = buffer.layout();  // the symbols' own
  auto log = std::make_unique<StoredPrintkLog>(std::move(buffer), range);
  return with_static_buffer(std::move(log), kernel, layout, log_buf.value, diagnostics);
}

}  // namespace photon_dmesg
