#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "base/large_buffer.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/arch/architecture.h"
#include "kernel/arch/page_tables.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// A run of mapped pages of the kernel image.
struct ImageRange {
  GuestVirtual begin;
  std::uint64_t size = 0;  // bytes
};

// The kernel image as page tables map it: walked once, and each part kept that was asked for as a
// whole. No image is larger than `most_bytes`: of what is mapped where it may lie, as before
// the kernel has tidied up, no more is read, from the lowest address on. Not for use by several
// threads at once.
class KernelImage {
 public:
  static constexpr std::uint64_t most_bytes = 256 * 1024 * 1024;

  // What becomes of what for_each_piece() has read: others will go through it again, or nobody is
  // known to.
  enum class Pieces { Kept, Forgotten };

  // `memory` must outlive this object.
  KernelImage(const GuestMemory& memory, const PageTables& tables, Pieces pieces = Pieces::Kept);

  [[nodiscard]] const KernelMemory& memory() const { return memory_; }
  [[nodiscard]] const PageTables& tables() const { return memory_.tables(); }

  // Its parts by what their pages may be used for, ascending. Neighbouring pages are one range, so
  // that nothing is cut at a page border.
  // Neither written nor executed: .rodata.
  [[nodiscard]] const std::vector<ImageRange>& read_only() const { return read_only_; }
  // Text, data; everything in a kernel without protection.
  [[nodiscard]] const std::vector<ImageRange>& other() const { return other_; }

  // How much of it these are, and whether more is mapped.
  [[nodiscard]] const Budget& budget() const { return budget_; }

  // Where the page tables may have it: it is in there, perhaps among other things.
  [[nodiscard]] const Architecture::Range& range() const { return range_; }

  // How many pages it took to find that out.
  [[nodiscard]] std::uint64_t pages_searched() const { return pages_searched_; }

  // Its lowest page: the image begins with its text, and nothing is mapped below it.
  [[nodiscard]] std::optional<GuestVirtual> begin() const;

  // What one of these ranges holds. Pages that are mapped to no RAM are zeros: they hide what
  // stands on them, not the rest.
  [[nodiscard]] std::span<const std::byte> bytes(const ImageRange& range) const;

  // Calls visit(address, bytes, count) for pieces of one of these ranges, ascending, until it
  // returns false. Each byte is among the first `count` of one piece, and followed there by all
  // that the range has of the next `longest`. Unless pieces are kept, they come by in one small
  // buffer: memory for megabytes that are looked at once takes longer to get than they take to
  // read.
  template <typename Visit>
  void for_each_piece(const ImageRange& range, std::uint64_t longest, Visit visit) const {
    if (pieces_ == Pieces::Kept || bytes_.contains(range.begin.value)) {
      visit(range.begin, bytes(range), range.size);
      return;
    }
    constexpr std::uint64_t piece_bytes = 64 * 1024;
    std::vector<std::byte> buffer(std::min(range.size, piece_bytes + longest));
    for (std::uint64_t at = 0; at < range.size; at += piece_bytes) {
      const std::uint64_t rest = range.size - at;
      const auto piece = std::span(buffer).first(std::min<std::uint64_t>(rest, buffer.size()));
      read(range.begin + at, piece);
      const std::uint64_t count = std::min(rest, piece_bytes);
      if (!visit(range.begin + at, std::span<const std::byte>(piece), count)) return;
    }
  }

  // Calls visit(address, bytes) for each aligned word, with what follows it in its range, until it
  // returns false: data first, then what is read-only, since variables may be sealed after boot.
  template <typename Visit>
  void for_each_word(Visit visit) const {
    constexpr std::uint64_t word = sizeof(std::uint64_t);
    for (const std::vector<ImageRange>* ranges : {&other_, &read_only_}) {
      for (const ImageRange& range : *ranges) {
        const std::span<const std::byte> content = bytes(range);
        for (std::uint64_t at = 0; at + word <= content.size(); at += word) {
          if (!visit(range.begin + at, content.subspan(at))) return;
        }
      }
    }
  }

 private:
  void read(GuestVirtual begin, std::span<std::byte> target) const;

  KernelMemory memory_;
  Pieces pieces_;
  Architecture::Range range_;
  std::uint64_t pages_searched_ = 0;
  Budget budget_{"bytes of a kernel's image", most_bytes};
  std::vector<ImageRange> read_only_;
  std::vector<ImageRange> other_;
  mutable std::map<std::uint64_t, LargeBuffer> bytes_;  // by where a range begins
};

}  // namespace photon_dmesg
