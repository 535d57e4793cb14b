#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/error.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"
#include "session/inputs.h"
#include "session/package_media.h"
#include "session/package_use.h"
#include "session/symbol_sources.h"

namespace photon_dmesg {

// Looks for one kernel's symbols in packages: vmlinux with its types in debuginfo packages, and
// only without one the System.map of a kernel's own package. Packages of other releases are passed
// over by their header alone. Where a release has several builds (4.4.8 of Photon 1.0), the package
// built nearest to the date in the guest's banner is tried first.
class PackageSearch {
 public:
  using Accept = std::function<void(const KernelSymbols&)>;

  PackageSearch(const WantedKernel& wanted, const Accept& accept, const PackageUse& use,
                Diagnostics& diagnostics)
      : wanted_(wanted), accept_(accept), use_(use), diagnostics_(diagnostics) {}

  // See find_symbols().
  [[nodiscard]] SymbolSource search(const Inputs& inputs);

 private:
  struct Candidate {
    PackageFile file;
    std::unique_ptr<RpmPackage> package;
    KernelFile kernel;
  };

  std::optional<SymbolSource> search(std::vector<PackageFile> packages);
  void sort_by_build_time(std::vector<Candidate>& candidates) const;
  [[nodiscard]] bool fits(const KernelFile& kernel) const;
  std::optional<Candidate> examine(PackageFile file);
  std::optional<SymbolSource> try_candidate(Candidate candidate);
  std::unique_ptr<KernelSymbols> load(Candidate& candidate) const;
  std::unique_ptr<KernelSymbols> load_vmlinux(Candidate& candidate) const;
  void keep_reason(const Error& error);
  [[noreturn]] void fail(const std::string& name) const;

  const WantedKernel& wanted_;
  const Accept& accept_;
  const PackageUse& use_;
  Diagnostics& diagnostics_;
  std::vector<std::string> found_;   // labels of packages that hold another kernel
  std::vector<std::string> others_;  // labels of packages that hold none
  std::optional<Error> unusable_;    // of the first package that can't be used
  std::optional<Error> refused_;
};

}  // namespace photon_dmesg
