#include "rpm/file_digest.h"

#include <fmt/format.h>

#include "base/file_stream.h"
#include "rpm/digest.h"

namespace photon_dmesg {

std::string sha256_of(const ByteSource& file, Diagnostics& diagnostics) {
  const std::string what = fmt::format("SHA-256 of {}", file.name());
  Digest digest = Digest::sha256();
  FileStream stream(file);
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
    digest.update(bytes);
    diagnostics.progress({.what = what, .done = stream.position(), .total = file.size()});
  }
  return digest.finish();
}

}  // namespace photon_dmesg
