#include "cli/package_options.h"

#include <filesystem>
#include <optional>

namespace photon_dmesg {

PackageUse package_use(const Options& options) {
  PackageUse use{Keyring(options.keys), options.verify_packages, std::nullopt};
  const auto folder = options.use_cache ? ProfileCache::default_folder() : std::nullopt;
  if (folder) use.cache = ProfileCache(*folder);
  return use;
}

}  // namespace photon_dmesg
