#pragma once

#include "base/block_source.h"
#include "base/diagnostics.h"
#include "base/spooled_file.h"

namespace photon_dmesg {

// Whether `source` begins as gzip's output does (RFC 1952).
[[nodiscard]] bool is_gzip_file(const ByteSource& source);

// What a gzip file holds, readable at any offset: unpacked once from beginning to end and kept in
// memory, in blocks that are packed anew. Nothing goes to disk.
class GzipFile final : public BlockSource {
 public:
  // Reads all of `packed`, which need not outlive this object. Throws Error(UnusableInput) when it
  // is damaged or cut short.
  GzipFile(const ByteSource& packed, Diagnostics& diagnostics);

 private:
  [[nodiscard]] std::vector<std::byte> load_block(std::uint64_t index) const override;

  SpooledFile spool_;
};

}  // namespace photon_dmesg
