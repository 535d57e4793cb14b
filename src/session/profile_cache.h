#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/symbols/profile.h"

namespace photon_dmesg {

// Profiles of packages that were read before, so that a second run unpacks nothing: one file each,
// named after the digest of the package's header, which holds the digests of all its files. Only
// their owner can read or write them. Several runs may use the cache at once: a file appears under
// its name when it is whole.
class ProfileCache {
 public:
  // In `folder`, which is made when something is stored.
  explicit ProfileCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // $XDG_CACHE_HOME/photon-dmesg, or else ~/.cache/photon-dmesg; nothing if the environment names
  // neither.
  [[nodiscard]] static std::optional<std::filesystem::path> default_folder();

  // What is stored under `digest`; null if there is nothing, or nothing that can be used and
  // trusted: then the reason is noted.
  [[nodiscard]] std::unique_ptr<Profile> find(const std::string& digest,
                                              Diagnostics& diagnostics) const;

  // Stores a profile of `symbols`. A cache that can't be written is a note: nothing is lost.
  void store(const std::string& digest, const KernelSymbols& symbols, const std::string& release,
             const std::string& origin, Diagnostics& diagnostics) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const std::string& digest) const;

  std::filesystem::path folder_;
};

}  // namespace photon_dmesg
