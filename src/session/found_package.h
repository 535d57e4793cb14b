#pragma once

#include <memory>
#include <string>

#include "base/diagnostics.h"
#include "kernel/symbols/kernel_symbols.h"
#include "rpm/kernel_files.h"
#include "session/package_media.h"
#include "session/symbol_cache.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// A package that holds a kernel's symbols: what its header tells, which is enough to say where the
// symbols were found, and to find them in the cache.
struct FoundPackage {
  std::string path;           // as PackageFile has it
  std::string label;          // NAME-VERSION-RELEASE.ARCH
  std::string header_digest;  // by which the cache knows it
  KernelFile::Kind kind = KernelFile::Kind::Vmlinux;
  std::string kernel_file;  // its path in the package
  std::string release;      // as `uname -r`

  bool operator==(const FoundPackage&) const = default;
};

// All of the source that `package`, which lies in `file`, is but its symbols.
[[nodiscard]] SymbolSource name_source(const PackageFile& file, const FoundPackage& package);

// What a store of its symbols says of itself.
[[nodiscard]] StoredKernel stored_kernel(const FoundPackage& package);

// The symbols of `package`, which lies in `file`, if an earlier run has kept them; null if not.
[[nodiscard]] std::shared_ptr<const KernelSymbols> find_stored(const SymbolCache& cache,
                                                               const PackageFile& file,
                                                               const FoundPackage& package,
                                                               Diagnostics& diagnostics);

}  // namespace photon_dmesg
