#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace photon_dmesg {

// Unpacks one member of a gzip stream (RFC 1952) and verifies its checksum and length: with ISA-L,
// or with zlib in a build that has no ISA-L. Both say the same of what is damaged.
class GzipInflater {
 public:
  GzipInflater();
  ~GzipInflater();
  GzipInflater(const GzipInflater&) = delete;
  GzipInflater& operator=(const GzipInflater&) = delete;

  // What one call of unpack() came to.
  struct Step {
    std::size_t taken = 0;  // bytes of what is packed
    std::size_t given = 0;  // bytes that it unpacks to
    bool ended = false;     // the member has ended behind them
  };

  // Goes on unpacking with `packed`, into `target`, until one of them or the member ends. Throws
  // Error(UnusableInput) when the member is damaged.
  Step unpack(std::span<const std::byte> packed, std::span<std::byte> target);

  // Another member begins with the next byte.
  void restart();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace photon_dmesg
