#pragma once

#include "base/byte_stream.h"
#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// What the lines of a text showed together.
struct TextLogSigns {
  bool has_times = false;     // since boot: one line has one
  bool is_of_kernel = false;  // one line has something that only those of a kernel's log have
};

// Reads a log that somebody printed as text, a line a record: what dmesg prints, whichever form its
// times have, what came out of a serial console, lines of a syslog or of journalctl. What stands
// before a text (outer_prefix.h, line_prefix.h) becomes time stamp, caller, level and facility; a
// line without a time has that of the line before it, and 0 if none has had one. `seq` is the
// number of the line, from 1. A line's first 64 KiB are kept. Ends when the input does, or `sink`
// wants no more. Throws what `input` throws.
//
// Where a line does not say who wrote it, the kernel did; of a syslog's lines those that are tagged
// "kernel".
TextLogSigns read_text_log(ByteStream& input, const RecordSink& sink);

}  // namespace photon_dmesg
