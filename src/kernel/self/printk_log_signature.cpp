#include "kernel/self/printk_log_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <unordered_map>

#include "base/budget.h"
#include "base/error.h"
#include "base/little_endian.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/printk/printk_log_buffer.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t smallest_log = 4096;  // CONFIG_LOG_BUF_SHIFT is at least 12
constexpr std::uint64_t largest_log = std::uint64_t{1} << 27;  // far above any that is set

constexpr std::size_t step_of_records = PrintkLogBuffer::record_alignment;

// Fewer records that follow each other are no proof of a log.
constexpr std::uint64_t fewest_records = 4;

bool is_log_size(std::uint64_t size) {
  return std::has_single_bit(size) && size >= smallest_log && size <= largest_log;
}

std::vector<std::byte> read_function(const KernelMemory& memory, const Kallsyms& kallsyms,
                                     std::string_view name) {
  constexpr std::uint64_t largest_function = 8192;
  const std::optional<Kallsyms::Range> range = kallsyms.find_function(name);
  if (!range) return {};
  std::vector<std::byte> code(std::min(range->size, largest_function));
  return memory.read(range->begin, code) ? code : std::vector<std::byte>{};
}

std::optional<GuestVirtual> find_returned_variable(const KernelMemory& memory,
                                                   const Kallsyms& kallsyms,
                                                   std::string_view name) {
  const std::vector<std::byte> code = read_function(memory, kallsyms, name);
  if (code.empty()) return std::nullopt;
  return memory.tables().architecture().returned_variable(code,
                                                          kallsyms.find_function(name)->begin);
}

// Every address in the image that code of `name` may refer to: what is read there decides.
void add_references(const KernelMemory& memory, const Kallsyms& kallsyms, std::string_view name,
                    std::set<GuestVirtual>& addresses) {
  const std::vector<std::byte> code = read_function(memory, kallsyms, name);
  if (code.empty()) return;
  memory.tables().architecture().for_each_reference(code, kallsyms.find_function(name)->begin,
                                                    [&](GuestVirtual target) {
                                                      if (target.value % sizeof(std::uint32_t) == 0)
                                                        addresses.insert(target);
                                                    });
}

// Values at the addresses that code refers to, as they may be sequence numbers and indices.
struct Candidates {
  std::map<std::uint64_t, GuestVirtual> numbers;
  std::map<std::uint64_t, GuestVirtual> indices;
};

Candidates read_candidates(const KernelMemory& memory, const std::set<GuestVirtual>& addresses,
                           const PrintkLogBuffer& buffer) {
  Candidates candidates;
  for (const GuestVirtual address : addresses) {
    if (const auto index = memory.read_unsigned(address, sizeof(std::uint32_t));
        index && *index <= buffer.size() && *index % PrintkLogBuffer::record_alignment == 0) {
      candidates.indices.emplace(*index, address);
    }
    if (const auto number = memory.read_unsigned(address, sizeof(std::uint64_t));
        number && address.value % sizeof(std::uint64_t) == 0) {
      candidates.numbers.emplace(*number, address);
    }
  }
  return candidates;
}

// Two indices between which as many records stand as two sequence numbers differ by: of all such,
// the two furthest apart, since the log is between them and every other position in it. Nothing
// once it takes more than `steps`: what was found until then may be too short.
std::optional<PrintkLogVariables::Range> find_range(const Candidates& candidates,
                                                    const PrintkLogBuffer& buffer, Budget& steps) {
  std::optional<PrintkLogVariables::Range> best;
  std::uint64_t most = 0;
  for (const auto& candidate : candidates.indices) {
    const std::uint64_t first = candidate.first;
    buffer.for_each_place(first, [&](std::uint64_t index, std::uint64_t count) {
      if (!steps.take()) return false;
      const auto next = candidates.indices.find(index);
      if (next == candidates.indices.end() || count < fewest_records || count <= most) return true;
      if (!steps.take(candidates.numbers.size())) return false;
      const auto seq = std::find_if(candidates.numbers.begin(), candidates.numbers.end(),
                                    [&](const auto& number) {
                                      // The first record of all has the number 0, at index 0.
                                      return candidates.numbers.contains(number.first + count) &&
                                             (number.first != 0 || first == 0);
                                    });
      if (seq == candidates.numbers.end()) return true;
      best = {seq->second, candidate.second, candidates.numbers.at(seq->first + count),
              next->second};
      most = count;
      return true;
    });
  }
  return steps.exceeded() ? std::nullopt : best;
}

std::optional<PrintkLogBuffer> read_buffer(const KernelMemory& memory, GuestVirtual log_buf,
                                           std::uint64_t length) {
  const std::optional<std::uint64_t> begin = memory.read_unsigned(log_buf, sizeof(std::uint64_t));
  if (!begin || !is_log_size(length)) return std::nullopt;
  try {
    return PrintkLogBuffer::read(memory, {*begin}, length, known_printk_log_layout());
  } catch (const Error&) {
    return std::nullopt;  // part of it is not mapped
  }
}

// Whether `address` is where records begin that follow each other.
bool begins_with_records(const KernelMemory& memory, GuestVirtual address) {
  constexpr std::uint64_t probe = 4096;
  const StructLayout& layout = known_printk_log_layout();
  std::vector<std::byte> bytes(probe);
  if (!memory.read(address, bytes)) return false;
  const PrintkLogBuffer buffer(layout, std::move(bytes));
  std::uint64_t count = 0;
  for (std::uint64_t at = 0; buffer.is_likely_record(at) && count < fewest_records; ++count) {
    at += buffer.header(at).length;
  }
  return count == fewest_records;
}

// The length variable stands close to the pointer: both are static variables of one file. Of
// several values that could be one, that by which most records are found, and the closest. What is
// read for that is taken off `bytes`; nothing once that is used up.
std::optional<GuestVirtual> find_length(const KernelMemory& memory, GuestVirtual log_buf,
                                        Budget& bytes) {
  constexpr std::uint64_t reach = 2048;
  constexpr std::uint64_t around = 32 * 1024;  // to look at all that stands there takes as much
  constexpr std::uint64_t step = sizeof(std::uint32_t);
  std::optional<GuestVirtual> best;
  std::uint64_t most = fewest_records - 1;
  std::set<std::uint64_t> tried;
  if (!bytes.take(around)) return std::nullopt;
  for (std::uint64_t distance = step; distance <= reach; distance += step) {
    for (const GuestVirtual place : {log_buf + distance, GuestVirtual{log_buf.value - distance}}) {
      const std::uint64_t length = memory.read_unsigned(place, step).value_or(0);
      if (!is_log_size(length) || !tried.insert(length).second) continue;
      if (!bytes.take(length)) return std::nullopt;
      const auto buffer = read_buffer(memory, log_buf, length);
      const auto extent = buffer ? buffer->find_extent() : std::nullopt;
      if (extent && extent->records > most) {
        most = extent->records;
        best = place;
      }
    }
  }
  return best;
}

// Where the records begin of which one is the banner's, whose text stands at `text`: at that one,
// or at one before it of the same time 0, as control groups print theirs. Nothing if no record
// follows.
std::optional<std::size_t> find_first_record(std::span<const std::byte> bytes, std::size_t text) {
  constexpr std::size_t most_before = 2048;  // bytes
  constexpr std::size_t probe = 4096;
  const StructLayout& layout = known_printk_log_layout();
  if (text < layout.size()) return std::nullopt;
  const std::size_t banner = text - layout.size();
  const std::size_t begin =
      banner - std::min(banner, most_before) / step_of_records * step_of_records;
  const std::span<const std::byte> near =
      bytes.subspan(begin, std::min(banner - begin + probe, bytes.size() - begin));
  const PrintkLogBuffer buffer(layout, {near.begin(), near.end()});
  const auto is_early = [&](std::size_t at) {
    return buffer.is_likely_record(at) && buffer.ts_nsec(at) == 0;
  };
  const std::size_t place = banner - begin;
  if (!is_early(place) || !buffer.is_likely_record(place + buffer.header(place).length)) {
    return std::nullopt;
  }
  std::set<std::size_t> leads_there = {place};
  for (std::size_t at = place; at >= step_of_records;) {
    at -= step_of_records;
    if (is_early(at) && leads_there.contains(at + buffer.header(at).length)) leads_there.insert(at);
  }
  return begin + *leads_there.begin();
}

}  // namespace

std::optional<GuestVirtual> find_static_log_buf(const KernelImage& image) {
  for (const ImageRange& range : image.other()) {
    const std::span<const std::byte> bytes = image.bytes(range);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (std::size_t at = find_banner_prefix(text, 0); at != std::string_view::npos;
         at = find_banner_prefix(text, at + 1)) {
      if (const auto first = find_first_record(bytes, at)) return range.begin + *first;
    }
  }
  return std::nullopt;
}

std::optional<PrintkLogVariables> find_printk_log_by_code(const KernelMemory& memory,
                                                          const Kallsyms& kallsyms,
                                                          Diagnostics& diagnostics) {
  const auto log_buf = find_returned_variable(memory, kallsyms, "log_buf_addr_get");
  const auto log_buf_len = find_returned_variable(memory, kallsyms, "log_buf_len_get");
  if (!log_buf || !log_buf_len) return std::nullopt;
  const auto buffer = read_buffer(
      memory, *log_buf, memory.read_unsigned(*log_buf_len, sizeof(std::uint32_t)).value_or(0));
  const auto extent = buffer ? buffer->find_extent() : std::nullopt;
  if (!extent || extent->records < fewest_records) return std::nullopt;
  std::set<GuestVirtual> references;
  for (const char* name :
       {"kmsg_dump_rewind_nolock", "kmsg_dump_get_line_nolock", "kmsg_dump_get_buffer"}) {
    add_references(memory, kallsyms, name, references);
  }
  // Code refers to some ten of them; what is no code may to thousands.
  Budget steps("records from what may be indices of the log", std::uint64_t{1} << 26);
  const auto range = find_range(read_candidates(memory, references, *buffer), *buffer, steps);
  steps.warn_if_exceeded("the guest's memory", diagnostics);
  return PrintkLogVariables{*log_buf, *log_buf_len, range};
}

std::optional<PrintkLogVariables> find_printk_log_by_form(const KernelImage& image,
                                                          Diagnostics& diagnostics) {
  std::optional<PrintkLogVariables> found;
  const KernelMemory& memory = image.memory();
  const Architecture& architecture = memory.tables().architecture();
  // A kernel has less than a million pointers in its image, and most of them more than once.
  Budget places("places where log_buf may lead", std::uint64_t{1} << 20);
  Budget bytes("bytes that may be the log", 4 * largest_log);
  std::unordered_map<std::uint64_t, bool> begins_log;  // of each place
  image.for_each_word([&](GuestVirtual address, std::span<const std::byte> word) {
    const GuestVirtual target{load_unsigned(word.first(sizeof(std::uint64_t)))};
    if (!architecture.is_kernel_pointer(target.value)) return true;
    const auto [place, is_new] = begins_log.try_emplace(target.value, false);
    if (is_new && !places.take()) return false;
    if (is_new) place->second = begins_with_records(memory, target);
    if (!place->second) return true;
    if (const std::optional<GuestVirtual> length = find_length(memory, address, bytes)) {
      diagnostics.found(
          {.what = "variable log_buf at",
           .value = fmt::format("{}", address),
           .how = fmt::format("by its form: it leads to records, log_buf_len is at {}", *length)});
      found = {address, *length, std::nullopt};
    }
    return !found && !bytes.exceeded();
  });
  places.warn_if_exceeded("the guest's memory", diagnostics);
  bytes.warn_if_exceeded("the guest's memory", diagnostics);
  return found;
}

}  // namespace photon_dmesg
