#include "session/package_use.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {

PackageUse::PackageUse(const session::Options& options)
    : keyring(options.keys), verify(options.verify_packages) {
  auto folder = options.cache_folder;
  if (!folder && options.use_cache) folder = SymbolCache::default_folder();
  if (!folder) return;
  cache.emplace(*folder);
  if (verify && options.keys.empty()) memory.emplace(*folder);
}

std::unique_ptr<RpmPackage> open_package(std::unique_ptr<ByteStream> stream, const PackageUse& use,
                                         Diagnostics& diagnostics) {
  return std::make_unique<RpmPackage>(
      std::move(stream), use.keyring, [&use, &diagnostics](const std::string& mismatch) {
        if (use.verify) {
          throw unusable(fmt::format(
              "{}: the package is damaged or was changed (--no-verify uses it all the same)",
              mismatch));
        }
        diagnostics.warn(fmt::format("not what was packed: {}", mismatch));
      });
}

}  // namespace photon_dmesg
