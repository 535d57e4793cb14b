#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "base/file_lock.h"
#include "kernel/symbols/symbol_store.h"

namespace photon_dmesg {

// What a store says of itself.
struct StoredKernel {
  std::string release;  // as `uname -r`
  std::string origin;   // where the symbols were found
};

// Stores of the symbols of packages that were read before, so that a second run unpacks nothing:
// one file each, named after the digest of the package's header, which holds the digests of all its
// files, and after what the store holds, so that another photon-dmesg's is another file. Only their
// owner can read or write them. Several runs may use the cache at once: a file appears under its
// name when it is whole.
class SymbolCache {
 public:
  // In `folder`, which is made when something is stored.
  explicit SymbolCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // $XDG_CACHE_HOME/photon-dmesg, or else ~/.cache/photon-dmesg; nothing if the environment names
  // neither.
  [[nodiscard]] static std::optional<std::filesystem::path> default_folder();

  // What is stored under `digest` for `kernel`, `name` being what messages call these symbols; null
  // if there is nothing, or nothing that can be used and trusted: then the reason is noted. A store
  // that is damaged, or another kernel's, is a warning and is removed, so that it is made anew.
  [[nodiscard]] std::unique_ptr<SymbolStore> find(const std::string& digest,
                                                  const StoredKernel& kernel,
                                                  const std::string& name,
                                                  Diagnostics& diagnostics) const;

  // Waits until no other run is reading the package of `digest`, and keeps others from it while
  // what is returned exists. Whoever waited should find() again. Null, with the reason noted, where
  // nothing can be locked: then each run works for itself.
  [[nodiscard]] std::unique_ptr<FileLock> lock(const std::string& digest,
                                               Diagnostics& diagnostics) const;

  // Stores what `symbols` know. A cache that can't be written is a note: nothing is lost.
  void store(const std::string& digest, const KernelSymbols& symbols, const StoredKernel& kernel,
             Diagnostics& diagnostics) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const std::string& digest) const;

  std::filesystem::path folder_;
};

}  // namespace photon_dmesg
