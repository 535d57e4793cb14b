#pragma once

#include <string>
#include <utility>

#include "base/diagnostics.h"
#include "base/file_stream.h"

namespace photon_dmesg {

// The bytes of a ByteSource from its beginning to its end, which tells how far it has come.
class WatchedStream final : public ByteStream {
 public:
  // `doing`: what progress calls the work ("unpacking vm.vmem.gz"). Source and diagnostics must
  // outlive the stream.
  WatchedStream(const ByteSource& source, std::string doing, Diagnostics& diagnostics)
      : stream_(source),
        size_(source.size()),
        doing_(std::move(doing)),
        diagnostics_(diagnostics) {}

  [[nodiscard]] std::span<const std::byte> next() override {
    const std::span<const std::byte> bytes = stream_.next();
    diagnostics_.progress({doing_, stream_.position(), size_});
    return bytes;
  }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

 private:
  FileStream stream_;
  std::uint64_t size_;
  std::string doing_;
  Diagnostics& diagnostics_;
};

}  // namespace photon_dmesg
