#pragma once

#include <memory>
#include <string>

#include "base/byte_stream.h"

namespace photon_dmesg {

// What `packed` unpacks to: by its first bytes it is gzip, zstd, xz, bzip2, lz4 as the kernel's
// boot images have it, or bare cpio; if they say nothing, it is what `named` says ("gzip", "bzip2",
// "xz", "lzma", "zstd" or "none", as RPM's PAYLOADCOMPRESSOR tag names them). `packed` must outlive
// the stream. The stream throws Error(UnusableInput) when the data is damaged or cut short, this
// function for another compressor.
[[nodiscard]] std::unique_ptr<ByteStream> decompress(ByteStream& packed, const std::string& named);

}  // namespace photon_dmesg
