#include "kernel/printk/unlogged_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/optional_fact.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/memory/struct_view.h"
#include "kernel/printk/level_prefix.h"
#include "kernel/printk/printk_lock.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t most_cpus = 8192;  // the largest CONFIG_NR_CPUS

// One entry a line; `entry` says whose they are.
void add_lines(std::string_view text, const UnloggedText& entry, Budget& lines, KernelLog& log) {
  while (!text.empty()) {
    UnloggedText line = entry;
    line.text = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.text.size() + 1));
    if (const auto level = take_level_prefix(line.text)) line.level = level;
    if (line.text.empty()) continue;
    if (!lines.take()) return;
    log.unlogged.push_back(std::move(line));
  }
}

struct PerCpuArea {
  std::size_t cpu = 0;
  std::uint64_t offset = 0;
};

// The per-CPU areas of a kernel, by __per_cpu_offset. No two CPUs have one in common: what a
// damaged number of CPUs counts besides has the same one over and over.
std::vector<PerCpuArea> per_cpu_areas(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> table = kernel.find_address("__per_cpu_offset");
  const std::optional<GuestVirtual> count = kernel.find_address("nr_cpu_ids");
  std::vector<PerCpuArea> areas;
  if (!table || !count) return areas;
  const std::uint64_t cpus =
      std::min(most_cpus, kernel.memory().read_unsigned(*count, 4).value_or(0));
  std::set<std::uint64_t> seen;
  for (std::uint64_t cpu = 0; cpu < cpus; ++cpu) {
    const auto offset = kernel.memory().read_unsigned(*table + cpu * sizeof(std::uint64_t), 8);
    if (offset && seen.insert(*offset).second) areas.push_back({cpu, *offset});
  }
  return areas;
}

struct PerCpuBuffer {
  const char* symbol;
  UnloggedText::Source source;
};
constexpr std::array per_cpu_buffers = {
    PerCpuBuffer{"safe_print_seq", UnloggedText::Source::SafeBuffer},
    PerCpuBuffer{"nmi_print_seq", UnloggedText::Source::NmiBuffer},
};

// Where the text begins in one CPU's buffer, and how much there may be of it. Its type is in
// another unit than printk's, which would take long to find, and the variants are easily told
// apart.
SafeBufferLayout safe_buffer_layout(const GuestKernel& kernel, GuestVirtual buffer) {
  // The irq_work in front of the text grew by a word that is zero; no text begins with zeros.
  const SafeBufferLayout& older = known_safe_buffer_layouts().front();
  const auto beginning = kernel.memory().read_unsigned(buffer + older.text_offset, 8);
  return beginning == 0 ? known_safe_buffer_layouts().back() : older;
}

void read_per_cpu_buffer(const GuestKernel& kernel, const PerCpuBuffer& kind, Budget& lines,
                         KernelLog& log, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> symbol = kernel.find_address(kind.symbol);
  if (!symbol) return;
  for (const auto& [cpu, offset] : per_cpu_areas(kernel)) {
    if (lines.exceeded()) break;
    const GuestVirtual buffer = *symbol + offset;
    const std::uint64_t length = kernel.memory().read_unsigned(buffer, 4).value_or(0);
    if (length == 0) continue;
    const SafeBufferLayout layout = safe_buffer_layout(kernel, buffer);
    std::string text(std::min(length, layout.text_size), '\0');
    if (!kernel.memory().read(buffer + layout.text_offset,
                              std::as_writable_bytes(std::span(text)))) {
      diagnostics.warn(fmt::format("{} of CPU {} at {}: its {} bytes can't be read", kind.symbol,
                                   cpu, buffer, length));
      continue;
    }
    // A NUL is part of no message: what stands behind one may be anything.
    text.resize(std::min(text.find('\0'), text.size()));
    if (text.size() < length) {
      log.losses.push_back(fmt::format("of {} bytes that {} of CPU {} held only {} are text",
                                       length, kind.symbol, cpu, text.size()));
    }
    UnloggedText entry;
    entry.source = kind.source;
    entry.cpu = static_cast<std::uint32_t>(cpu);
    add_lines(text, entry, lines, log);
    diagnostics.found({.what = "bytes not yet logged",
                       .value = fmt::format("{}", length),
                       .where = fmt::format("{} of CPU {}", kind.symbol, cpu),
                       .how = fmt::format("its buffer is at {}", buffer)});
  }
}

// struct cont as this kernel lays it out; nothing if it holds no line or makes no sense.
std::optional<UnloggedText> parse_cont(const GuestKernel& kernel, GuestVirtual address,
                                       const StructLayout& layout) {
  std::vector<std::byte> bytes(layout.size());
  if (!kernel.memory().read(address, bytes)) return std::nullopt;
  const StructView cont(layout, bytes);
  const MemberLayout& buffer = layout.member("buf");
  const std::uint64_t length = cont.number("len");
  const std::uint64_t level = cont.number("level");
  const bool is_stored = layout.find("flushed") != nullptr && cont.number("flushed") != 0;
  constexpr std::uint64_t levels = 8;
  if (length == 0 || length > buffer.size || level >= levels || is_stored) return std::nullopt;
  UnloggedText entry;
  entry.source = UnloggedText::Source::Cont;
  entry.level = static_cast<std::uint8_t>(level);
  entry.ts_nsec = cont.number("ts_nsec");
  entry.text.assign(reinterpret_cast<const char*>(bytes.data()) + buffer.offset, length);
  return entry.text.find('\0') == std::string::npos ? std::optional(entry) : std::nullopt;
}

// The variant that makes sense of it, when the symbols come without types: a length within its
// buffer, and in the older ones a pointer to the writer's task where later ones have the time.
const StructLayout* choose_cont_layout(const GuestKernel& kernel, GuestVirtual address) {
  const auto word = [&](const MemberLayout& member) {
    return kernel.memory().read_unsigned(address + member.offset, 8).value_or(0);
  };
  const Architecture& architecture = kernel.memory().tables().architecture();
  for (const StructLayout& layout : known_cont_layouts()) {
    const std::uint64_t length = word(layout.member("len"));
    const MemberLayout* owner = layout.find("owner");
    if (length > 0 && length <= layout.member("buf").size &&
        (owner == nullptr || architecture.is_kernel_pointer(word(*owner)))) {
      return &layout;
    }
  }
  return nullptr;
}

void read_cont(const GuestKernel& kernel, KernelLog& log) {
  const std::optional<GuestVirtual> address = kernel.find_address("cont");
  if (!address || kernel.find_address("prb")) return;  // 5.10 and later have none
  const StructLayout* layout = kernel.symbols().find_struct("cont");
  if (layout == nullptr) layout = choose_cont_layout(kernel, *address);
  if (layout == nullptr) return;
  if (const std::optional<UnloggedText> entry = parse_cont(kernel, *address, *layout)) {
    log.unlogged.push_back(*entry);
  }
}

// Takes off what still stands there of the last record, if the text has come less far than that:
// the two then end at the same place.
void cut_end_of_last_record(std::string& text, const std::string& last) {
  if (text.size() != last.size()) return;
  const auto [difference, ignored] = std::mismatch(text.rbegin(), text.rend(), last.rbegin());
  text.erase(difference.base(), text.end());
}

// What printk formats is in `textbuf` while it holds logbuf_lock. Until it has begun, the text
// there is the last one it stored.
void read_text_buffer(const GuestKernel& kernel, const std::optional<std::string>& last_text,
                      KernelLog& log, Diagnostics& diagnostics) {
  constexpr std::uint64_t longest_line = 944;  // the smallest LOG_LINE_MAX there has been
  if (!is_printk_lock_held(kernel)) return;
  diagnostics.found({.what = "logbuf_lock",
                     .value = "held",
                     .how = "a vCPU was inside printk when the guest stopped"});
  const std::optional<GuestVirtual> address = kernel.find_static("textbuf");
  std::optional<std::string> text =
      address ? kernel.memory().read_text(*address, longest_line) : std::nullopt;
  if (!text) return;
  UnloggedText entry;
  entry.source = UnloggedText::Source::TextBuffer;
  entry.level = take_level_prefix(*text);
  if (text->ends_with('\n')) text->pop_back();
  entry.text = *text;
  if (last_text) cut_end_of_last_record(entry.text, *last_text);
  const bool is_stored = last_text && last_text->ends_with(entry.text);
  const bool is_waiting =
      std::any_of(log.unlogged.begin(), log.unlogged.end(),
                  [&](const UnloggedText& other) { return other.text.ends_with(entry.text); });
  if (!entry.text.empty() && !is_stored && !is_waiting) log.unlogged.push_back(std::move(entry));
}

}  // namespace

void read_unlogged_text(const GuestKernel& kernel, const std::optional<std::string>& last_text,
                        KernelLog& log, Diagnostics& diagnostics) {
  optional_fact("the line that was waiting for its end", diagnostics,
                [&] { read_cont(kernel, log); });
  optional_fact("the text that was being logged", diagnostics,
                [&] { read_text_buffer(kernel, last_text, log, diagnostics); });
  // Those of the largest machine, were each of its buffers full of lines of usual length.
  constexpr std::uint64_t most_lines = std::uint64_t{1} << 20;
  Budget lines("lines that are not yet logged", most_lines);
  for (const PerCpuBuffer& kind : per_cpu_buffers) {
    optional_fact(fmt::format("what {} held", kind.symbol), diagnostics,
                  [&] { read_per_cpu_buffer(kernel, kind, lines, log, diagnostics); });
  }
  lines.warn_if_exceeded("the guest's memory", diagnostics);
}

}  // namespace photon_dmesg
