#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

// The layouts of printk's structures on x86-64, for symbols that come without types. They are the
// same in every build of the versions they hold for: no option but the named ones changes them, and
// structure randomization leaves them alone.

// The structures of a printk_ringbuffer (5.10 and later).
struct RingLayouts {
  StructLayout ring;             // printk_ringbuffer
  StructLayout descriptor_ring;  // prb_desc_ring
  StructLayout data_ring;        // prb_data_ring
  StructLayout descriptor;       // prb_desc
  StructLayout block;            // prb_data_blk_lpos
  StructLayout info;             // printk_info
  StructLayout device_info;      // dev_printk_info
};

// Every variant there has been. Which one a kernel has shows in its memory: see
// choose_ring_layouts() in printk_ringbuffer.cpp.
struct KnownRingLayouts {
  std::string_view versions;
  RingLayouts layouts;
};
[[nodiscard]] std::span<const KnownRingLayouts> known_ring_layouts();

// struct printk_log (3.11 to 5.9), or struct log as the kernel 3.6 to 3.10 called it, without
// CONFIG_PRINTK_CALLER (which 5.1 brought, and which no Photon kernel sets).
[[nodiscard]] const StructLayout& known_printk_log_layout();

// struct cont, the line that waits for its end: every variant of 3.5 to 5.9. Which one a kernel has
// shows in what it holds: members where it has others make no sense.
[[nodiscard]] std::span<const StructLayout> known_cont_layouts();

// Where the text stands in printk_safe_seq_buf (4.11 to 5.14) or nmi_seq_buf (4.7 to 4.10): up to
// 5.11, and since. Its length is the number of 4 bytes at the beginning.
struct SafeBufferLayout {
  std::uint64_t text_offset = 0;
  std::uint64_t text_size = 0;  // CONFIG_PRINTK_SAFE_LOG_BUF_SHIFT is 17 at most
};
[[nodiscard]] std::span<const SafeBufferLayout> known_safe_buffer_layouts();

// Whether `layout`, of one of the structures that every record goes through (those of RingLayouts,
// printk_log, log), has each member where a kernel that is known has it; it may have others too.
// Of other structures, whose layouts are many, always.
[[nodiscard]] bool is_as_known(const StructLayout& layout);

// Offsets in struct timekeeper (include/linux/timekeeper_internal.h), in bytes.
struct TimekeeperLayout {
  std::string_view versions;
  std::uint64_t xtime_sec = 0;
  std::uint64_t ktime_sec = 0;
  std::uint64_t wall_to_monotonic = 0;
  std::uint64_t offs_real = 0;
  std::uint64_t offs_boot = 0;
  std::uint64_t tkr_raw = 0;     // a struct tk_read_base, as tkr_mono, which is at 0
  std::uint64_t cycle_last = 0;  // in struct tk_read_base, as the three that follow
  std::uint64_t shift = 0;
  std::uint64_t xtime_nsec = 0;
  std::uint64_t base = 0;
};
[[nodiscard]] std::span<const TimekeeperLayout> known_timekeeper_layouts();
// As far as the members above reach in any of them.
inline constexpr std::uint64_t known_timekeeper_size = 168;

// struct console (include/linux/console.h) of kernels whose consoles have positions of their own.
[[nodiscard]] const StructLayout& known_console_layout();

}  // namespace photon_dmesg
