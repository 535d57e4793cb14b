#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kernel/memory/kernel_memory.h"
#include "kernel/memory/struct_view.h"
#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

// log_buf of kernels 3.5 to 5.9: struct printk_log, text, dictionary, padding, one record behind
// the other. A record never crosses the buffer's end: where it would, a zeroed header stands, or
// not even that fits, and the log goes on at the beginning.
class PrintkLogBuffer {
 public:
  // LOG_ALIGN: __alignof__(struct printk_log), 4 where accesses need not be aligned, as on x86.
  static constexpr std::uint64_t record_alignment = 4;
  // LOG_BUF_LEN_MAX since 4.19; it was never set higher before.
  static constexpr std::uint64_t largest_size = std::uint64_t{1} << 31;

  // Copies `length` bytes at `address`. Throws Error(UnusableInput) if any of them can't be read,
  // or a page stands in several places of them. `layout` of struct printk_log must outlive the
  // buffer.
  [[nodiscard]] static PrintkLogBuffer read(const KernelMemory& memory, GuestVirtual address,
                                            std::uint64_t length, const StructLayout& layout);

  PrintkLogBuffer(const StructLayout& layout, std::vector<std::byte> bytes)
      : layout_(&layout),
        length_(&layout.member("len")),
        text_length_(&layout.member("text_len")),
        dictionary_length_(&layout.member("dict_len")),
        bytes_(std::move(bytes)) {}

  struct Header {
    std::uint64_t length = 0;  // of the whole record; 0 marks the wrap to the buffer's beginning
    std::uint64_t text_length = 0;
    std::uint64_t dictionary_length = 0;
  };

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] const StructLayout& layout() const { return *layout_; }
  [[nodiscard]] bool has_room_for_header(std::uint64_t index) const {
    return index <= size() && layout_->size() <= size() - index;
  }
  // Of these three, `index` must have room for a header.
  [[nodiscard]] StructView view(std::uint64_t index) const;
  [[nodiscard]] Header header(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t ts_nsec(std::uint64_t index) const;

  // Whether a whole record stands at `index` and ends by `end`: its lengths agree.
  [[nodiscard]] bool is_record(std::uint64_t index, std::uint64_t end) const;

  // The same, and it is no longer than printk makes them: for bytes of which nothing is known.
  [[nodiscard]] bool is_likely_record(std::uint64_t index) const;

  // Text and dictionary of the record at `index`.
  [[nodiscard]] std::string_view content(std::uint64_t index) const;

  // Whether the content of the record at `index` ends where its lengths say: no text or dictionary
  // ends with a NUL, and log_store() has zeroed what aligns the next record.
  [[nodiscard]] bool ends_rightly(std::uint64_t index) const;

  // How many records lead from `from` to exactly `to`; nothing if they don't.
  [[nodiscard]] std::optional<std::uint64_t> count_records(std::uint64_t from,
                                                           std::uint64_t to) const;

  // How many records lead from `from` once around the buffer back to it; nothing if they don't.
  [[nodiscard]] std::optional<std::uint64_t> count_lap(std::uint64_t from) const;

  // Whether the records from the buffer's beginning on are the kernel's first: its banner is among
  // them. Before it come lines of what starts even earlier, such as the control groups in 4.4
  // (cgroup_init_early: "Initializing cgroup subsys ...").
  [[nodiscard]] bool begins_at_boot() const;

  // Follows the records from `from` on, over the wrap, until they end or come back to it. Calls
  // visit(index, count) for each place behind a record: `count` of them lead there. It returns
  // whether to go on.
  void for_each_place(std::uint64_t from,
                      const std::function<bool(std::uint64_t, std::uint64_t)>& visit) const;

  // Where the log begins and ends.
  struct Extent {
    std::uint64_t first_index = 0;
    std::uint64_t next_index = 0;
    std::uint64_t records = 0;
  };

  // The extent by the records alone, for when the kernel's own indices are not known. Those of the
  // last lap begin at index 0; what an earlier lap has left stands behind them up to the buffer's
  // end. Nothing if no record stands at index 0.
  [[nodiscard]] std::optional<Extent> find_extent() const;

  // The records that follow each other from index 0, whatever stands behind them.
  [[nodiscard]] Extent extent_of_first_lap() const;

  // Whether some records follow each other anywhere behind `index`, where none stands.
  [[nodiscard]] bool has_records_behind(std::uint64_t index) const;

 private:
  struct Lap {
    std::uint64_t records = 0;  // that follow each other
    std::uint64_t end = 0;
    bool reaches_end = false;  // of the buffer, or the mark in its place
  };
  [[nodiscard]] bool is_wrap(std::uint64_t index) const;
  // How many records lead from `from` to `to`, once around if it is the same place.
  [[nodiscard]] std::optional<std::uint64_t> count_until(std::uint64_t from,
                                                         std::uint64_t to) const;
  [[nodiscard]] Lap follow(std::uint64_t index) const;
  // Whether what follows `index` can't be another record, as the buffer ends there.
  [[nodiscard]] bool is_end(std::uint64_t index) const;
  // How many records of an earlier lap lead from `index` to the buffer's end; 0 if none do. Every
  // place on the way that does not lead there is noted, so that all calls take linear time.
  [[nodiscard]] std::uint64_t count_to_end(std::uint64_t index,
                                           std::vector<bool>& leads_nowhere) const;

  const StructLayout* layout_;
  // Of its members those that every step asks for.
  const MemberLayout* length_;
  const MemberLayout* text_length_;
  const MemberLayout* dictionary_length_;
  std::vector<std::byte> bytes_;
};

}  // namespace photon_dmesg
