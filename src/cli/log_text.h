#pragma once

#include <filesystem>
#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// The text of a log that somebody named, to be read more than once: a file as it is or unpacked, or
// what comes from a pipe ("-" is standard input), which is kept in memory. Throws
// Error(UnusableInput) when it can't be read, is more than memory may hold, or is by its first
// bytes no text: a guest's files, an ISO, an archive.
[[nodiscard]] std::shared_ptr<const ByteSource> open_log_text(const std::filesystem::path& path,
                                                              Diagnostics& diagnostics);

}  // namespace photon_dmesg
