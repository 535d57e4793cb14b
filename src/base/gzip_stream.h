#pragma once

#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/gzip_inflater.h"

namespace photon_dmesg {

// What a gzip stream (RFC 1952) unpacks to; several members may stand one behind the other, and
// what follows the last is passed over. Each member's checksum is verified.
class GzipStream final : public ByteStream {
 public:
  // `packed` must outlive this object.
  explicit GzipStream(ByteStream& packed);

  // Throws Error(UnusableInput) when the stream is damaged or cut short.
  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return packed_.name(); }

 private:
  // Whether any input is left.
  bool refill();
  // Whether a member begins at the next byte; then it is the one that is unpacked next.
  bool begin_next_member();

  ByteStream& packed_;
  GzipInflater inflater_;
  std::span<const std::byte> input_;  // what is left of the last piece of packed_
  std::vector<std::byte> output_;
  bool ended_ = false;
};

}  // namespace photon_dmesg
