#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/byte_stream.h"

namespace photon_dmesg {

// What xz data unpacks to (https://tukaani.org/xz/xz-file-format.txt; several streams may stand one
// behind the other), or data of the older .lzma format. Checks of xz's blocks are verified; .lzma
// has none. The memory that the data may ask for is bounded, which libarchive's filters do not do.
class XzStream final : public ByteStream {
 public:
  enum class Format { Xz, Lzma };

  // `packed` must outlive this object. Throws Error(UnusableInput) if liblzma can't be loaded.
  XzStream(ByteStream& packed, Format format);
  ~XzStream() override;

  // Throws Error(UnusableInput) when the data is damaged or cut short, and when it needs a
  // dictionary of more than 128 MiB: after all that comes before has been given.
  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return packed_.name(); }

 private:
  struct State;

  ByteStream& packed_;
  std::unique_ptr<State> state_;
};

}  // namespace photon_dmesg
