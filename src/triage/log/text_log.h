#pragma once

#include <istream>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// Reads a log that somebody printed as text, a line a record: what dmesg prints, with or without
// -x, what came out of a serial console, or lines of a syslog ("Nov 29 01:50:12 host kernel: ",
// ISO 8601 times too), or journalctl -o short-monotonic. What stands before a text becomes time
// stamp, caller, level and facility; a line without a time has that of the line before it. `seq` is
// the number of the line, from 1. A line's first 64 KiB are kept. Ends when the input does, or
// `sink` wants no more.
//
// Where a line does not say who wrote it, the kernel did; of a syslog's lines those that are tagged
// "kernel".
void read_text_log(std::istream& input, const RecordSink& sink);

}  // namespace photon_dmesg
