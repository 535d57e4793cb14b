#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/error.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"
#include "session/found_package.h"
#include "session/package_media.h"
#include "session/package_use.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// One kernel's symbols in packages: vmlinux with its types in debuginfo packages, and only without
// one the System.map of a kernel's own package. Packages of other releases are passed over by their
// header alone. Where a release has several builds (4.4.8 of Photon 1.0), the package built nearest
// to the date in the guest's banner comes first. A package that is in the cache is not unpacked,
// and one that was is put there.
class PackageSearch final : public SymbolCandidates {
 public:
  // `packages` are looked through; `name` is what messages call where they lie. `use` and
  // `diagnostics` must outlive the search.
  PackageSearch(std::vector<PackageFile> packages, std::string name, WantedKernel wanted,
                const PackageUse& use, Diagnostics& diagnostics);

  [[nodiscard]] std::optional<SymbolSource> next() override;
  void refuse(const Error& why) override;
  void accept() override;
  // Error(Mismatch) names the guest's release and what is there, Error(UnusableInput) is for when
  // there is no kernel at all.
  [[nodiscard]] std::vector<Error> failures() const override { return {failure()}; }

  // The package that was accepted, if a search in the same packages for the same kernel will come
  // to it first, with no more to say: it is proved, and nothing had to be passed over as unusable
  // or refused.
  [[nodiscard]] std::optional<FoundPackage> certain() const;

 private:
  struct Candidate {
    PackageFile file;
    std::unique_ptr<RpmPackage> package;
    KernelFile kernel;
  };

  [[nodiscard]] Error failure() const;
  bool examine_next();
  [[nodiscard]] std::deque<Candidate>& queue_of(const Candidate& candidate);
  void sort_by_build_time();
  std::optional<Candidate> examine(PackageFile file);
  bool is_of_other_architecture(const RpmPackage& package);
  std::optional<SymbolSource> read(Candidate candidate);
  std::shared_ptr<const KernelSymbols> load(Candidate& candidate) const;
  std::shared_ptr<const KernelSymbols> load_and_judge(Candidate& candidate);
  static FoundPackage describe(const Candidate& candidate);
  [[nodiscard]] std::shared_ptr<const KernelSymbols> find_in_cache(const PackageFile& file) const;
  std::shared_ptr<const KernelSymbols> load_vmlinux(Candidate& candidate) const;
  void keep_reason(const Error& error);

  std::string name_;
  WantedKernel wanted_;
  const PackageUse& use_;
  Diagnostics& diagnostics_;

  std::deque<std::deque<PackageFile>> groups_;  // not examined yet, the better ones first
  std::deque<Candidate> later_;                 // of the first group, examined, to be put in order
  std::deque<Candidate> maps_;   // System.maps of groups before the last, behind all groups
  std::deque<Candidate> ready_;  // to be read

  int offered_ = 0;                   // how many next() has returned
  std::optional<FoundPackage> last_;  // that was read

  std::vector<std::string> found_;       // labels of packages that hold another kernel
  std::vector<std::string> others_;      // labels of packages that hold none
  std::optional<Error> unusable_;        // of the first package that can't be used
  std::optional<std::string> unproved_;  // the name of the last one read, if nothing proves it
  std::optional<Error> refused_;         // of the last that was not the guest's
};

// A kernel that a package holds symbols of.
struct PackagedKernel {
  std::string release;                      // as `uname -r`
  std::string package;                      // its label
  std::optional<std::string> architecture;  // as `uname -m`; none: the package is of none
  bool has_types = false;                   // it holds vmlinux, not a System.map alone
  std::string header_digest;                // of the package
};

// The kernels that `packages` say they hold, by their headers alone. One that can't be read is a
// warning.
[[nodiscard]] std::vector<PackagedKernel> list_kernels(const std::vector<PackageFile>& packages,
                                                       const PackageUse& use,
                                                       Diagnostics& diagnostics);

// Whether a release names one build, by a number behind its version; 4.4.8 of Photon 1.0 is that of
// six, and 4.4.8-esx of more.
[[nodiscard]] bool names_one_build(const std::string& release);

// Whether `package` may be of the wanted release: what is wrong with it is said when it is its
// turn.
[[nodiscard]] bool may_be_wanted(std::unique_ptr<ByteStream> package, const WantedKernel& wanted,
                                 const PackageUse& use, Diagnostics& diagnostics);

}  // namespace photon_dmesg
