#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/spool.h"

namespace photon_dmesg {

// Files that are packed by themselves, with gzip, zstd, xz or bzip2.

// What `source` is packed with, by its first bytes: "gzip". Nothing if it is not.
[[nodiscard]] std::optional<std::string_view> packing_of(const ByteSource& source);

// The first `count` bytes that `packed` unpacks to, fewer if there are no more. Throws
// Error(UnusableInput) when they are damaged.
[[nodiscard]] std::vector<std::byte> peek_unpacked(const ByteSource& packed, std::size_t count);

// What `packed` unpacks to, under its name: unpacked once from beginning to end and kept in memory.
// `packed` need not outlive it. Throws Error(UnusableInput) when it is damaged, cut short, or too
// large to be kept.
[[nodiscard]] std::shared_ptr<const ByteSource> unpack_file(
    const ByteSource& packed, Diagnostics& diagnostics,
    SpoolLimits limits = SpoolLimits::of_machine());

}  // namespace photon_dmesg
