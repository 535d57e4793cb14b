#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// Whether `source` begins as a memory image does that LiME (the Linux Memory Extractor) wrote.
[[nodiscard]] bool is_lime_file(const ByteSource& source);

// A guest's memory from a LiME image (format version 1: each range of RAM behind a header of 32
// bytes: magic, version, first and last physical address). There are no vCPUs. Throws
// Error(UnusableInput) when it is damaged or cut short.
[[nodiscard]] GuestState open_lime_file(std::shared_ptr<const ByteSource> file,
                                        Completeness completeness, Diagnostics& diagnostics);

}  // namespace photon_dmesg
