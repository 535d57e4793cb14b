#pragma once

#include <cstddef>
#include <string_view>

namespace photon_dmesg {

// What stands behind a record's text in its block tells how long the text is, as a second witness
// of the length that the record's info says.
enum class TextEnd {
  Printed,       // as later kernels leave it, which format into the block itself
  Copied,        // as if a text of this length had been copied there: nothing contradicts it
  Contradicted,  // neither
};

// Judges `length` by `block`, the bytes from the text's beginning to the block's end.
//
// With printk_sprint(), which came soon after 5.10 and is in 5.10-rt, the text is formatted into
// the block together with its level prefix and newline, and closed with a NUL
// (kernel/printk/printk.c). Then the newline is cut off by the length alone, and the text is moved
// over its prefix: behind it stand its own last bytes, as many as the prefix had, the newline, and
// the NUL. Before that, and where the kernel moved its log to a larger ring, exactly the text was
// copied, and behind it stands what was there before, at most what alignment takes (blocks are
// multiples of 8 bytes): zeros if `first_lap`.
//
// `newline`: whether the record says that its line was ended (LOG_NEWLINE).
[[nodiscard]] TextEnd judge_text_end(std::string_view block, std::size_t length, bool newline,
                                     bool first_lap);

}  // namespace photon_dmesg
