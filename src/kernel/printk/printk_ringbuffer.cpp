#include "kernel/printk/printk_ringbuffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/little_endian.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/memory/struct_view.h"
#include "kernel/printk/level_prefix.h"
#include "kernel/printk/log_losses.h"
#include "kernel/printk/static_records.h"

namespace photon_dmesg {
namespace {

// A descriptor's state_var: two bits of state above 62 bits of id.
constexpr unsigned state_shift = 62;
constexpr std::uint64_t id_mask = (std::uint64_t{1} << state_shift) - 1;

// enum desc_state
enum class DescriptorState { Reserved = 0, Committed = 1, Finalized = 2, Reusable = 3 };

// A text block's position when there is no block: odd, since blocks are aligned to 8 bytes.
constexpr std::uint64_t dataless_bit = 1;
constexpr std::uint64_t failed_lpos = 1;  // the block could not be allocated: the text is lost
// The other such value, 3, is a record whose text is empty.

constexpr std::uint64_t block_alignment = 8;
constexpr std::uint64_t block_id_bytes = 8;

// log_buf_len is at most 1 << 31 (LOG_BUF_LEN_MAX), a descriptor stands for 32 bytes of text.
constexpr std::uint64_t largest_size_bits = 31;
constexpr std::uint64_t largest_count_bits = 26;

constexpr std::uint32_t caller_is_cpu = std::uint32_t{1} << 31;
constexpr std::uint64_t newline_flag = 2;       // LOG_NEWLINE
constexpr std::uint64_t continuation_flag = 8;  // LOG_CONT

// The ring's header: where its three arrays are and what part of them is in use.
struct Ring {
  std::uint64_t descriptor_count = 0;
  GuestVirtual descriptors;
  GuestVirtual infos;
  std::uint64_t head_id = 0;
  std::uint64_t tail_id = 0;
  std::uint64_t data_size = 0;  // bytes
  GuestVirtual data;
  std::uint64_t head_lpos = 0;
  std::uint64_t tail_lpos = 0;
};

struct Descriptor {
  std::uint64_t id = 0;
  DescriptorState state = DescriptorState::Reserved;
  std::uint64_t begin = 0;  // logical positions of the text block
  std::uint64_t next = 0;
};

// Where a block's text lies: index into the data ring and the bytes there are for it.
struct TextBlock {
  std::uint64_t index = 0;
  std::uint64_t size = 0;
};

std::uint64_t ring_size(std::uint64_t bits, std::uint64_t largest, const char* what) {
  if (bits == 0 || bits > largest) {
    throw unusable(
        fmt::format("printk_ringbuffer: expected {} of 1 to {}, found {}", what, largest, bits));
  }
  return std::uint64_t{1} << bits;
}

class RingReader {
 public:
  // `layouts` must outlive the reader. `first_seq`: what an earlier reader of this ring found.
  RingReader(const KernelMemory& memory, GuestVirtual address, const RingLayouts& layouts,
             std::optional<std::uint64_t> first_seq = std::nullopt)
      : memory_(memory), layouts_(layouts), first_seq_(first_seq.value_or(0)) {
    read_header(address);
    if (!first_seq) vote_on_first_seq();
  }

  [[nodiscard]] const Ring& ring() const { return ring_; }

  // The stored records that have the sequence number that their place says.
  [[nodiscard]] RingExtent extent() {
    RingExtent extent;
    for_each_id([&](std::uint64_t id) {
      if (first_seq_by(id) != first_seq_) return;
      ++extent.records;
      extent.last_seq = seq_of(id);
    });
    return extent;
  }

  // Of the record behind the newest.
  [[nodiscard]] std::uint64_t next_seq() const { return seq_of(ring_.head_id) + 1; }

  // Of the oldest.
  [[nodiscard]] std::uint64_t first_seq() const { return first_seq_; }

  // See StoredLog::read().
  void read(const RecordSink& sink, KernelLog& result) {
    for_each_id([&](std::uint64_t id) {
      if (std::optional<LogRecord> record = read_slot(id, result)) {
        has_records_ = true;
        stopped_ = !sink(std::move(*record));
      }
    });
    if (!stopped_) report_losses(result);
  }

 private:
  [[nodiscard]] std::vector<std::byte> read_struct(GuestVirtual address,
                                                   const StructLayout& layout) {
    std::vector<std::byte> bytes(layout.size());
    if (!memory_.read(address, bytes)) {
      throw unusable(fmt::format("the guest's memory at {} (struct {}) can't be read: not mapped",
                                 address, layout.name()));
    }
    return bytes;
  }

  void read_header(GuestVirtual address) {
    const std::vector<std::byte> bytes = read_struct(address, layouts_.ring);
    const StructView header(layouts_.ring, bytes);
    const StructView descriptors = header.nested("desc_ring", layouts_.descriptor_ring);
    const StructView data = header.nested("text_data_ring", layouts_.data_ring);
    ring_.descriptor_count =
        ring_size(descriptors.number("count_bits"), largest_count_bits, "count_bits");
    ring_.descriptors = {descriptors.number("descs")};
    ring_.infos = {descriptors.number("infos")};
    ring_.head_id = descriptors.number("head_id") & id_mask;
    ring_.tail_id = descriptors.number("tail_id") & id_mask;
    ring_.data_size = ring_size(data.number("size_bits"), largest_size_bits, "size_bits");
    ring_.data = {data.number("data")};
    ring_.head_lpos = data.number("head_lpos");
    ring_.tail_lpos = data.number("tail_lpos");
    if (((ring_.head_id - ring_.tail_id) & id_mask) >= ring_.descriptor_count) {
      throw unusable(
          fmt::format("printk_ringbuffer at {}: expected head_id at most {} behind tail_id, found "
                      "{:#x} and {:#x}",
                      address, ring_.descriptor_count - 1, ring_.head_id, ring_.tail_id));
    }
  }

  [[nodiscard]] std::uint64_t slot_index(std::uint64_t id) const {
    return id & (ring_.descriptor_count - 1);
  }

  [[nodiscard]] std::optional<Descriptor> read_descriptor(std::uint64_t id) {
    descriptor_bytes_.resize(layouts_.descriptor.size());
    if (!memory_.read(ring_.descriptors + slot_index(id) * layouts_.descriptor.size(),
                      descriptor_bytes_)) {
      return std::nullopt;
    }
    const StructView view(layouts_.descriptor, descriptor_bytes_);
    const std::uint64_t state = view.number("state_var");
    const StructView block = view.nested("text_blk_lpos", layouts_.block);
    return Descriptor{state & id_mask, static_cast<DescriptorState>(state >> state_shift),
                      block.number("begin"), block.number("next")};
  }

  template <typename Visit>
  void for_each_id(Visit visit) {
    const std::uint64_t count = ((ring_.head_id - ring_.tail_id) & id_mask) + 1;
    for (std::uint64_t i = 0; i < count && !stopped_; ++i) {
      visit((ring_.tail_id + i) & id_mask);
    }
  }

  [[nodiscard]] bool read_info(std::uint64_t id) {
    info_bytes_.resize(layouts_.info.size());
    return memory_.read(ring_.infos + slot_index(id) * layouts_.info.size(), info_bytes_);
  }

  // What number the oldest id has, by the record of `id`: ids and sequence numbers advance
  // together. Nothing if no record is stored there.
  [[nodiscard]] std::optional<std::uint64_t> first_seq_by(std::uint64_t id) {
    const std::optional<Descriptor> descriptor = read_descriptor(id);
    if (!descriptor || descriptor->id != id || !is_stored(*descriptor) || !read_info(id)) {
      return std::nullopt;
    }
    return StructView(layouts_.info, info_bytes_).number("seq") - distance(id);
  }

  // The majority decides (Boyer and Moore's vote): one damaged number can't spoil the others.
  void vote_on_first_seq() {
    std::uint64_t lead = 0;
    for_each_id([&](std::uint64_t id) {
      const std::optional<std::uint64_t> first = first_seq_by(id);
      if (!first) return;
      if (lead == 0) first_seq_ = *first;
      lead = *first == first_seq_ ? lead + 1 : lead - 1;
    });
  }

  static bool is_stored(const Descriptor& descriptor) {
    return descriptor.state == DescriptorState::Committed ||
           descriptor.state == DescriptorState::Finalized;
  }

  [[nodiscard]] std::uint64_t distance(std::uint64_t id) const {
    return (id - ring_.tail_id) & id_mask;
  }
  [[nodiscard]] std::uint64_t seq_of(std::uint64_t id) const { return first_seq_ + distance(id); }

  std::optional<LogRecord> read_slot(std::uint64_t id, KernelLog& result) {
    const std::optional<Descriptor> descriptor = read_descriptor(id);
    if (!descriptor || !read_info(id)) {
      unreadable_.push_back(seq_of(id));
    } else if (descriptor->id != id) {
      // The head's slot gets its new id only when its old record has been given up.
      (id == ring_.head_id ? unfinished_ : damaged_).push_back(seq_of(id));
    } else if (descriptor->state == DescriptorState::Reusable) {
      // Given up to make room for newer text. A record that has none, or whose block lies further
      // on, outlives newer ones, so that these may be gone in between.
      if (has_records_) overwritten_.push_back(seq_of(id));
    } else {
      return read_record(*descriptor, result);
    }
    return std::nullopt;
  }

  std::optional<LogRecord> read_record(const Descriptor& descriptor, KernelLog& result) {
    const StructView info(layouts_.info, info_bytes_);
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

  // A reserved record's length is set when its text is done; until then the text ends where the
  // writer has come to. Behind that stands what was there before: zeros in the ring's first lap,
  // where the end shows, and later anything, so that nothing can be said of the text.
  void keep_half_text(const Descriptor& descriptor, KernelLog& result) {
    const std::optional<TextBlock> block = find_block(descriptor);
    if (!block || !in_first_lap(descriptor.begin) || !in_first_lap(descriptor.next - 1)) return;
    std::optional<std::string> text = memory_.read_text(ring_.data + block->index, block->size);
    if (!text) return;
    UnloggedText unlogged;
    unlogged.seq = seq_of(descriptor.id);
    unlogged.level = take_level_prefix(*text);
    unlogged.text = std::move(*text);
    if (!unlogged.text.empty()) result.unlogged.push_back(std::move(unlogged));
  }

  // Positions begin one lap below zero.
  [[nodiscard]] bool in_first_lap(std::uint64_t lpos) const {
    return lpos != 0 && std::uint64_t{0} - lpos <= ring_.data_size;
  }

  static LogRecord::State state_of(const Descriptor& descriptor, std::uint64_t flags) {
    if (descriptor.state == DescriptorState::Reserved) return LogRecord::State::Reopened;
    const bool open = descriptor.state == DescriptorState::Committed && (flags & newline_flag) == 0;
    return open ? LogRecord::State::Partial : LogRecord::State::Finished;
  }

  void fill_info(LogRecord& record, const StructView& info) const {
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

  // The text's place, or nothing if the block can't be one of this ring's.
  [[nodiscard]] std::optional<TextBlock> find_block(const Descriptor& descriptor) const {
    const std::uint64_t mask = ring_.data_size - 1;
    const bool in_use = ring_.head_lpos - descriptor.begin <= ring_.data_size &&
                        descriptor.begin - ring_.tail_lpos < ring_.data_size;
    const std::uint64_t span = descriptor.next - descriptor.begin;
    if (!in_use || descriptor.begin % block_alignment != 0 || span <= block_id_bytes ||
        span > ring_.data_size) {
      return std::nullopt;
    }
    // A block that would cross the ring's end starts again at its beginning. Since the last byte
    // decides, a block that ends exactly at the boundary has not wrapped (kernels after 6.18 place
    // such blocks, older ones never do).
    const bool wrapped = (descriptor.begin & ~mask) != ((descriptor.next - 1) & ~mask);
    const std::uint64_t index = wrapped ? 0 : descriptor.begin & mask;
    const std::uint64_t size = wrapped ? descriptor.next & mask : span;
    if (size <= block_id_bytes) {
      return std::nullopt;
    }
    const std::optional<std::uint64_t> owner =
        memory_.read_unsigned(ring_.data + index, block_id_bytes);
    if (owner != descriptor.id) {
      return std::nullopt;  // the block has been given to another record
    }
    return TextBlock{index + block_id_bytes, size - block_id_bytes};
  }

  void read_text(LogRecord& record, const Descriptor& descriptor, std::uint64_t length) {
    if ((descriptor.begin & dataless_bit) != 0 && (descriptor.next & dataless_bit) != 0) {
      if (descriptor.begin == failed_lpos || length > 0) {
        lose_text(record);
      }
      return;
    }
    const std::optional<TextBlock> block = find_block(descriptor);
    if (!block) {
      lose_text(record);
      return;
    }
    if (length > block->size) {
      record.state = LogRecord::State::Truncated;
      truncated_.push_back(record.seq);
    }
    record.text.resize(std::min(length, block->size));
    if (!memory_.read(ring_.data + block->index, std::as_writable_bytes(std::span(record.text)))) {
      record.text.clear();
      lose_text(record);
    }
  }

  void lose_text(LogRecord& record) {
    record.state = LogRecord::State::TextLost;
    texts_lost_.push_back(record.seq);
  }

  void report_losses(KernelLog& result) const {
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

  const KernelMemory& memory_;
  const RingLayouts& layouts_;
  Ring ring_;
  bool has_records_ = false;  // whether one was handed over
  bool stopped_ = false;      // no more are wanted
  std::vector<std::byte> descriptor_bytes_;
  std::vector<std::byte> info_bytes_;
  std::uint64_t first_seq_;  // of tail_id
  // Sequence numbers of the records that something is wrong with.
  std::vector<std::uint64_t> unfinished_;
  std::vector<std::uint64_t> overwritten_;
  std::vector<std::uint64_t> damaged_;
  std::vector<std::uint64_t> unreadable_;
  std::vector<std::uint64_t> texts_lost_;
  std::vector<std::uint64_t> truncated_;
};

// Nothing if the symbols come without types.
std::optional<RingLayouts> layouts_by_types(const KernelSymbols& symbols) {
  if (symbols.find_struct("printk_ringbuffer") == nullptr) {
    return std::nullopt;
  }
  return RingLayouts{symbols.structure("printk_ringbuffer"), symbols.structure("prb_desc_ring"),
                     symbols.structure("prb_data_ring"),     symbols.structure("prb_desc"),
                     symbols.structure("prb_data_blk_lpos"), symbols.structure("printk_info"),
                     symbols.structure("dev_printk_info")};
}

struct BestLayouts {
  const KnownRingLayouts* layouts = nullptr;
  RingExtent extent;
};

// The known variant by which most of the ring's records are in their place.
BestLayouts choose_ring_layouts(const KernelMemory& memory, GuestVirtual address) {
  BestLayouts best;
  for (const KnownRingLayouts& known : known_ring_layouts()) {
    try {
      const RingExtent extent = RingReader(memory, address, known.layouts).extent();
      if (best.layouts == nullptr || extent.records > best.extent.records) {
        best = {&known, extent};
      }
    } catch (const Error&) {
      // The header makes no sense by this variant.
    }
  }
  return best;
}

RingLayouts find_layouts(const GuestKernel& kernel, GuestVirtual address,
                         Diagnostics& diagnostics) {
  if (std::optional<RingLayouts> layouts = layouts_by_types(kernel.symbols())) {
    return std::move(*layouts);
  }
  const KnownRingLayouts* known = choose_ring_layouts(kernel.memory(), address).layouts;
  if (known == nullptr) {
    throw unusable(fmt::format(
        "printk_ringbuffer at {}: it has none of the known layouts: types are needed, from the "
        "kernel's debuginfo package",
        address));
  }
  diagnostics.found(
      {.what = fmt::format("layouts of printk_ringbuffer: those known of {}, as its records fit",
                           known->versions)});
  return known->layouts;
}

class StoredRing : public StoredLog {
 public:
  StoredRing(const KernelMemory& memory, GuestVirtual address, RingLayouts layouts)
      : memory_(memory), address_(address), layouts_(std::move(layouts)) {
    const RingReader reader(memory_, address_, layouts_);
    ring_ = reader.ring();
    first_seq_ = reader.first_seq();
    next_seq_ = reader.next_seq();
  }

  [[nodiscard]] const Ring& ring() const { return ring_; }
  [[nodiscard]] std::uint64_t next_seq() const override { return next_seq_; }

  void read(const RecordSink& sink, KernelLog& result) const override {
    RingReader(memory_, address_, layouts_, first_seq_).read(sink, result);
  }

 private:
  const KernelMemory& memory_;
  GuestVirtual address_;
  RingLayouts layouts_;
  Ring ring_;
  std::uint64_t first_seq_ = 0;
  std::uint64_t next_seq_ = 0;
};

// What is in the ring that the kernel used until it took a larger one, if it did.
std::vector<LogRecord> read_static_ring(const GuestKernel& kernel, const RingLayouts& layouts,
                                        const StoredRing& log, GuestVirtual in_use,
                                        Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> address = kernel.find_address("printk_rb_static");
  if (!address || *address == in_use) return {};
  try {
    std::vector<LogRecord> lost =
        lost_records(collect_records(StoredRing(kernel.memory(), *address, layouts)), log);
    diagnostics.found(
        {.what = fmt::format(
             "the static ring at {} is left from early boot: {} records recovered from it",
             *address, lost.size())});
    return lost;
  } catch (const Error& error) {
    diagnostics.found(
        {.what = fmt::format("the static ring left from early boot: {}", error.what())});
    return {};
  }
}

}  // namespace

RingExtent find_ring_extent(const KernelMemory& memory, GuestVirtual address) {
  return choose_ring_layouts(memory, address).extent;
}

std::unique_ptr<StoredLog> open_printk_ringbuffer(const GuestKernel& kernel,
                                                  Diagnostics& diagnostics) {
  const GuestVirtual address{kernel.variable("prb", sizeof(std::uint64_t))};
  const RingLayouts layouts = find_layouts(kernel, address, diagnostics);
  auto log = std::make_unique<StoredRing>(kernel.memory(), address, layouts);
  const Ring& ring = log->ring();
  diagnostics.found({.what = fmt::format("log: printk_ringbuffer at {} (variable prb at {}), {} "
                                         "descriptors at {}, infos at {}, {} "
                                         "bytes of text at {}",
                                         address, kernel.address("prb"), ring.descriptor_count,
                                         ring.descriptors, ring.infos, ring.data_size, ring.data)});
  std::vector<LogRecord> lost = read_static_ring(kernel, layouts, *log, address, diagnostics);
  return put_before(std::move(lost), std::move(log));
}

}  // namespace photon_dmesg
