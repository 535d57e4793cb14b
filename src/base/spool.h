#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/byte_source.h"
#include "base/spooled_file.h"

namespace photon_dmesg {

// How much a spool takes. What is packed may unpack to any number of bytes.
struct SpoolLimits {
  std::uint64_t kept;                               // bytes of memory
  std::uint64_t unpacked = std::uint64_t{1} << 40;  // bytes of content; no guest has more memory

  // Half of this machine's memory.
  [[nodiscard]] static SpoolLimits of_machine();
};

// Takes what comes as a stream and makes a ByteSource of it, which can be read at any place. It is
// kept in memory, in blocks that are packed anew. Nothing goes to disk.
class Spool {
 public:
  // `name`: what messages call it.
  Spool(std::string name, SpoolLimits limits);

  // Appends to the end. Throws Error(UnusableInput) when that would be more than the limits.
  void append(std::span<const std::byte> bytes);
  void append_zeros(std::uint64_t count);

  [[nodiscard]] std::uint64_t size() const { return file_->size(); }

  // How many bytes of memory it takes, after finish() too.
  [[nodiscard]] std::uint64_t kept() const { return file_ ? file_->kept() : kept_; }

  // Ends the stream. To be called once. Throws as append().
  [[nodiscard]] std::shared_ptr<const ByteSource> finish();

 private:
  void check(std::uint64_t more) const;

  std::string name_;
  SpoolLimits limits_;
  std::unique_ptr<SpooledFile> file_;  // null after finish()
  std::uint64_t kept_ = 0;
};

}  // namespace photon_dmesg
