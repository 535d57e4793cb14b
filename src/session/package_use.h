#pragma once

#include <memory>
#include <optional>

#include "base/byte_stream.h"
#include "base/diagnostics.h"
#include "rpm/keyring.h"
#include "rpm/rpm_package.h"
#include "session/media_memory.h"
#include "session/options.h"
#include "session/symbol_cache.h"

namespace photon_dmesg {

// How packages are used.
struct PackageUse {
  PackageUse() = default;
  // As `options` say; without a cache if there is no place for one.
  explicit PackageUse(const session::Options& options);

  Keyring keyring;
  bool verify = true;  // whether one that is not what it was packed as is refused, or a warning
  std::optional<SymbolCache> cache;
  // Beside the cache, if there is one. Absent if each package has to be looked at: for what is
  // wrong with it, or for its signatures.
  std::optional<MediaMemory> memory;
};

// Opens a package; what does not fit in it is an Error(UnusableInput) or a warning. `use` and
// `diagnostics` must outlive it.
[[nodiscard]] std::unique_ptr<RpmPackage> open_package(std::unique_ptr<ByteStream> stream,
                                                       const PackageUse& use,
                                                       Diagnostics& diagnostics);

}  // namespace photon_dmesg
