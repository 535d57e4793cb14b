#include "session/found_package.h"

#include <fmt/format.h>

namespace photon_dmesg {

SymbolSource name_source(const PackageFile& file, const FoundPackage& package) {
  SymbolSource source;
  source.provenance.iso = file.iso;
  source.provenance.package = file.path;
  source.open_package = file.open;
  source.header_digest = package.header_digest;
  source.release = package.release;
  auto& role = package.kind == KernelFile::Kind::Vmlinux ? source.provenance.vmlinux
                                                         : source.provenance.system_map;
  role = package.kernel_file;
  return source;
}

StoredKernel stored_kernel(const FoundPackage& package) {
  return {package.release, fmt::format("{}: {}", package.label, package.kernel_file)};
}

std::shared_ptr<const KernelSymbols> find_stored(const SymbolCache& cache, const PackageFile& file,
                                                 const FoundPackage& package,
                                                 Diagnostics& diagnostics) {
  return cache.find(package.header_digest, stored_kernel(package),
                    fmt::format("{}: {}", file.name(), package.kernel_file), diagnostics);
}

}  // namespace photon_dmesg
