#include "session/package_search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "iso/kernel_packages.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/vmlinux/vmlinux.h"

namespace photon_dmesg {
namespace {

// By its label, which ends with it; none if the package is of none that kernels here run on.
std::optional<std::string> architecture_of(const RpmPackage& package) {
  for (const Architecture* architecture : architectures()) {
    const std::string name = architecture->name();
    if (package.label().ends_with("." + name)) return name;
  }
  return std::nullopt;
}

bool fits(const KernelFile& kernel, const WantedKernel& wanted) {
  return !wanted.release || kernel.release == *wanted.release;
}

}  // namespace

bool names_one_build(const std::string& release) {
  const std::size_t build = release.find('-') + 1;  // 0 if there is none
  return build != 0 && build < release.size() && release[build] >= '0' && release[build] <= '9';
}

PackageSearch::PackageSearch(std::vector<PackageFile> packages, std::string name,
                             WantedKernel wanted, const PackageUse& use, Diagnostics& diagnostics)
    : name_(std::move(name)), wanted_(std::move(wanted)), use_(use), diagnostics_(diagnostics) {
  // Names may mislead: they only say where to begin.
  std::stable_partition(packages.begin(), packages.end(), [&](const PackageFile& file) {
    return wanted_.release && is_package_of_release(file.path, *wanted_.release);
  });
  // Types are better than none: debuginfo packages come first, wherever they lie.
  groups_.resize(2);
  for (PackageFile& file : packages) {
    groups_[is_kernel_package(file.path) ? 1 : 0].push_back(std::move(file));
  }
}

void PackageSearch::keep_reason(const Error& error) {
  if (error.failure() != Failure::UnusableInput) throw Error(error);
  diagnostics_.found({.what = error.what()});
  if (!unusable_) unusable_ = error;
}

// Releases have the same name on every architecture.
bool PackageSearch::is_of_other_architecture(const RpmPackage& package) {
  if (!wanted_.architecture) return false;
  const bool is_other =
      architecture_of(package).value_or(*wanted_.architecture) != *wanted_.architecture;
  if (is_other) {
    refused_ = Error(Failure::Mismatch,
                     fmt::format("{}: {}: not the guest's kernel: the guest runs on {}",
                                 package.name(), package.label(), *wanted_.architecture));
    diagnostics_.found({.what = refused_->what()});
  }
  return is_other;
}

// Opens a package; nothing unless it has a kernel file of the wanted release. One that can't be
// used leaves the others to be tried.
std::optional<PackageSearch::Candidate> PackageSearch::examine(PackageFile file) {
  try {
    std::unique_ptr<RpmPackage> package = open_package(file.open(), use_, diagnostics_);
    if (is_of_other_architecture(*package)) return std::nullopt;
    const std::optional<KernelFile> kernel = find_kernel_file(package->files());
    if (!kernel) {
      diagnostics_.found(
          {.what = fmt::format("{}: holds neither vmlinux nor System.map", package->name())});
      others_.push_back(package->label());
      return std::nullopt;
    }
    diagnostics_.found(
        {.what = fmt::format("{}: {}, payload {}, {} of {} ({} bytes)", package->name(),
                             package->label(), package->compressor(), kernel->file.path,
                             kernel->release, kernel->file.size)});
    if (fits(*kernel, wanted_)) return Candidate{std::move(file), std::move(package), *kernel};
    found_.push_back(fmt::format("{} ({})", kernel->release, package->label()));
  } catch (const Error& error) {
    keep_reason(error);
  }
  return std::nullopt;
}

std::shared_ptr<const KernelSymbols> PackageSearch::load_vmlinux(Candidate& candidate) const {
  const std::uint64_t size = candidate.kernel.file.size;
  if (candidate.package->payload_can_be_verified()) {
    const auto content = candidate.package->open(candidate.kernel.file);
    if (auto symbols = Vmlinux::load_needed(*content, size, diagnostics_)) return symbols;
    candidate.package = open_package(candidate.file.open(), use_, diagnostics_);
  }
  const auto content = candidate.package->open(candidate.kernel.file);
  return Vmlinux::load(*content, size, diagnostics_);
}

std::shared_ptr<const KernelSymbols> PackageSearch::load(Candidate& candidate) const {
  std::shared_ptr<const KernelSymbols> symbols;
  if (candidate.kernel.kind == KernelFile::Kind::Vmlinux) {
    symbols = load_vmlinux(candidate);
  } else {
    symbols = SystemMap::load(*candidate.package->open(candidate.kernel.file));
  }
  RpmPackage& package = *candidate.package;
  package.verify_payload();
  diagnostics_.found({.what = fmt::format("{}: verified: {}", package.name(),
                                          fmt::join(package.verified(), "; "))});
  if (!package.superseded().empty()) {
    diagnostics_.found(
        {.what = fmt::format("{}: not computed, as stronger digests are verified: {}",
                             package.name(), fmt::join(package.superseded(), "; "))});
  }
  if (!package.unverified().empty()) {
    diagnostics_.found({.what = fmt::format("{}: not verified: {}", package.name(),
                                            fmt::join(package.unverified(), "; "))});
  }
  return symbols;
}

// The same that load() gives, if an earlier run has kept it; null if not.
std::shared_ptr<const KernelSymbols> PackageSearch::find_in_cache(const PackageFile& file) const {
  return use_.cache ? find_stored(*use_.cache, file, *last_, diagnostics_) : nullptr;
}

// What load() gives; notes whether anything proves it.
std::shared_ptr<const KernelSymbols> PackageSearch::load_and_judge(Candidate& candidate) {
  auto symbols = load(candidate);
  if (!candidate.package->is_proved()) unproved_ = candidate.package->name();
  return symbols;
}

FoundPackage PackageSearch::describe(const Candidate& candidate) {
  const RpmPackage& package = *candidate.package;
  const KernelFile& kernel = candidate.kernel;
  return {candidate.file.path, package.label(),  package.header_digest(),
          kernel.kind,         kernel.file.path, kernel.release};
}

// The candidate's symbols, if they can be read.
std::optional<SymbolSource> PackageSearch::read(Candidate candidate) {
  unproved_.reset();
  last_ = describe(candidate);
  try {
    SymbolSource source = name_source(candidate.file, *last_);
    source.symbols = find_in_cache(candidate.file);
    if (source.symbols) return source;
    // What --no-verify lets pass is for this run only.
    if (!use_.cache || !use_.verify) {
      source.symbols = load_and_judge(candidate);
      return source;
    }
    const auto lock = use_.cache->lock(last_->header_digest, diagnostics_);
    if (lock) source.symbols = find_in_cache(candidate.file);
    if (source.symbols) return source;
    source.symbols = load_and_judge(candidate);
    if (!unproved_) {
      use_.cache->store(last_->header_digest, *source.symbols, stored_kernel(*last_), diagnostics_);
    }
    return source;
  } catch (const Error& error) {
    keep_reason(error);
  }
  return std::nullopt;
}

void PackageSearch::sort_by_build_time() {
  if (later_.size() < 2 || !wanted_.built_at) return;
  const auto distance = [&](const Candidate& candidate) {
    return std::abs(candidate.package->build_time() - *wanted_.built_at);
  };
  std::stable_sort(later_.begin(), later_.end(),
                   [&](const Candidate& left, const Candidate& right) {
                     return distance(left) < distance(right);
                   });
  for (const Candidate& candidate : later_) {
    diagnostics_.found({.what = "build time",
                        .value = fmt::format("{} s", distance(candidate)),
                        .where = candidate.package->name(),
                        .how = "from when the guest's kernel was built"});
  }
  diagnostics_.found({.what = fmt::format("{} packages are of", later_.size()),
                      .value = wanted_.release.value_or("it"),
                      .where = name_,
                      .how = fmt::format("{} is tried first, by its build time",
                                         later_.front().package->label())});
}

// Looks at one more package. False when there are no more.
bool PackageSearch::examine_next() {
  if (groups_.empty()) return false;
  if (groups_.front().empty()) {
    groups_.pop_front();
    if (groups_.empty()) std::move(maps_.begin(), maps_.end(), std::back_inserter(later_));
    sort_by_build_time();
    ready_ = std::exchange(later_, {});
    return true;
  }
  std::optional<Candidate> candidate = examine(std::move(groups_.front().front()));
  groups_.front().pop_front();
  if (candidate) queue_of(*candidate).push_back(std::move(*candidate));
  return true;
}

// Where a candidate of the current group waits for its turn.
std::deque<PackageSearch::Candidate>& PackageSearch::queue_of(const Candidate& candidate) {
  // A kernel's own package under another name: a later one may have types.
  if (candidate.kernel.kind == KernelFile::Kind::SystemMap && groups_.size() > 1) return maps_;
  return !wanted_.release || names_one_build(*wanted_.release) ? ready_ : later_;
}

std::optional<SymbolSource> PackageSearch::next() {
  while (!ready_.empty() || examine_next()) {
    if (ready_.empty()) continue;
    Candidate candidate = std::move(ready_.front());
    ready_.pop_front();
    if (auto source = read(std::move(candidate))) {
      ++offered_;
      return source;
    }
  }
  return std::nullopt;
}

void PackageSearch::refuse(const Error& why) {
  refused_ = why;
}

void PackageSearch::accept() {
  if (unproved_) {
    diagnostics_.warn_of_lack(fmt::format(
        "{}: nothing proves this package: it has neither a digest nor a signature that could be "
        "verified",
        *unproved_));
  }
  if (unusable_) diagnostics_.warn_of_lack(fmt::format("not used: {}", unusable_->what()));
}

std::optional<FoundPackage> PackageSearch::certain() const {
  return offered_ == 1 && !unproved_ && !unusable_ ? last_ : std::nullopt;
}

Error PackageSearch::failure() const {
  if (unusable_) return *unusable_;
  if (refused_) return *refused_;
  if (!found_.empty()) {
    return {Failure::Mismatch,
            fmt::format("{}: expected a kernel of {}, found kernels of {}", name_,
                        wanted_.release.value_or("any release"), fmt::join(found_, ", "))};
  }
  if (!others_.empty()) {
    return unusable(fmt::format(
        "{}: expected a vmlinux (usr/lib/debug/lib/modules/*/vmlinux-*) or a System.map "
        "(boot/System.map-*), found neither in {}",
        name_, fmt::join(others_, ", ")));
  }
  return unusable(fmt::format(
      "{}: expected a kernel package (linux-*.rpm, linux-esx-*.rpm...) or its debuginfo package, "
      "found none: use the release's main ISO or its debug ISO, or the package itself",
      name_));
}

std::vector<PackagedKernel> list_kernels(const std::vector<PackageFile>& packages,
                                         const PackageUse& use, Diagnostics& diagnostics) {
  std::vector<PackagedKernel> kernels;
  for (const PackageFile& file : packages) {
    try {
      const auto package = open_package(file.open(), use, diagnostics);
      const std::optional<KernelFile> kernel = find_kernel_file(package->files());
      if (!kernel) continue;
      kernels.push_back({kernel->release, package->label(), architecture_of(*package),
                         kernel->kind == KernelFile::Kind::Vmlinux, package->header_digest()});
    } catch (const Error& error) {
      diagnostics.warn_of_lack(fmt::format("not used: {}", error.what()));
    }
  }
  return kernels;
}

bool may_be_wanted(std::unique_ptr<ByteStream> package, const WantedKernel& wanted,
                   const PackageUse& use, Diagnostics& diagnostics) {
  try {
    const auto kernel =
        find_kernel_file(open_package(std::move(package), use, diagnostics)->files());
    return kernel && fits(*kernel, wanted);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace photon_dmesg
