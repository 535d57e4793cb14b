#include "session/package_search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "iso/kernel_packages.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/vmlinux/vmlinux.h"

namespace photon_dmesg {
namespace {

// Whether a release names one build; 4.4.8 of Photon 1.0 is that of six.
bool names_one_build(const std::optional<std::string>& release) {
  return !release || release->find('-') != std::string::npos;
}

void name_source(SymbolSource& source, const PackageFile& file, const KernelFile& kernel) {
  source.provenance.iso = file.iso;
  source.provenance.package = file.path;
  source.open_package = file.open;
  source.release = kernel.release;
  auto& role = kernel.kind == KernelFile::Kind::Vmlinux ? source.provenance.vmlinux
                                                        : source.provenance.system_map;
  role = kernel.file.path;
}

}  // namespace

bool PackageSearch::fits(const KernelFile& kernel) const {
  return !wanted_.release || kernel.release == *wanted_.release;
}

void PackageSearch::keep_reason(const Error& error) {
  if (error.failure() != Failure::UnusableInput) throw Error(error);
  diagnostics_.found({.what = error.what()});
  if (!unusable_) unusable_ = error;
}

// Opens a package; nothing unless it has a kernel file of the wanted release. One that can't be
// used leaves the others to be tried.
std::optional<PackageSearch::Candidate> PackageSearch::examine(PackageFile file) {
  try {
    std::unique_ptr<RpmPackage> package = open_package(file.open(), use_, diagnostics_);
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
    if (fits(*kernel)) return Candidate{std::move(file), std::move(package), *kernel};
    found_.push_back(fmt::format("{} ({})", kernel->release, package->label()));
  } catch (const Error& error) {
    keep_reason(error);
  }
  return std::nullopt;
}

std::unique_ptr<KernelSymbols> PackageSearch::load_vmlinux(Candidate& candidate) const {
  const std::uint64_t size = candidate.kernel.file.size;
  if (candidate.package->payload_can_be_verified()) {
    const auto content = candidate.package->open(candidate.kernel.file);
    if (auto symbols = Vmlinux::load_needed(*content, size, diagnostics_)) return symbols;
    candidate.package = open_package(candidate.file.open(), use_, diagnostics_);
  }
  const auto content = candidate.package->open(candidate.kernel.file);
  return Vmlinux::load(*content, size, diagnostics_);
}

std::unique_ptr<KernelSymbols> PackageSearch::load(Candidate& candidate) const {
  std::unique_ptr<KernelSymbols> symbols;
  if (candidate.kernel.kind == KernelFile::Kind::Vmlinux) {
    symbols = load_vmlinux(candidate);
  } else {
    symbols = SystemMap::load(*candidate.package->open(candidate.kernel.file));
  }
  RpmPackage& package = *candidate.package;
  package.verify_payload();
  diagnostics_.found({.what = fmt::format("{}: verified: {}", package.name(),
                                          fmt::join(package.verified(), "; "))});
  if (!package.unverified().empty()) {
    diagnostics_.found({.what = fmt::format("{}: not verified: {}", package.name(),
                                            fmt::join(package.unverified(), "; "))});
  }
  return symbols;
}

// The candidate's symbols, if they are accepted.
std::optional<SymbolSource> PackageSearch::try_candidate(Candidate candidate) {
  try {
    SymbolSource source;
    name_source(source, candidate.file, candidate.kernel);
    const std::string digest = candidate.package->header_digest();
    if (use_.cache) source.symbols = use_.cache->find(digest, diagnostics_);
    const bool was_in_cache = source.symbols != nullptr;
    if (was_in_cache) {
      source.provenance.profile = source.symbols->name();
    } else {
      source.symbols = load(candidate);
    }
    accept_(*source.symbols);
    // What --no-verify lets pass is for this run only.
    if (use_.cache && use_.verify && !was_in_cache) {
      use_.cache->store(
          digest, *source.symbols, candidate.kernel.release,
          fmt::format("{}: {}", candidate.package->label(), candidate.kernel.file.path),
          diagnostics_);
    }
    return source;
  } catch (const Error& error) {
    if (error.failure() == Failure::Mismatch) {
      diagnostics_.found({.what = error.what()});
      refused_ = error;
    } else {
      keep_reason(error);
    }
  }
  return std::nullopt;
}

void PackageSearch::sort_by_build_time(std::vector<Candidate>& candidates) const {
  if (candidates.size() < 2 || !wanted_.built_at) return;
  const auto distance = [&](const Candidate& candidate) {
    return std::abs(candidate.package->build_time() - *wanted_.built_at);
  };
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](const Candidate& left, const Candidate& right) {
                     return distance(left) < distance(right);
                   });
  for (const Candidate& candidate : candidates) {
    diagnostics_.found({.what = fmt::format("{}: built {} s from when the guest's kernel was",
                                            candidate.package->name(), distance(candidate))});
  }
  diagnostics_.found(
      {.what = fmt::format("{} packages are of {}: {} is tried first, by its build time",
                           candidates.size(), wanted_.release.value_or(""),
                           candidates.front().package->label())});
}

std::optional<SymbolSource> PackageSearch::search(std::vector<PackageFile> packages) {
  // Names may mislead: they only say where to begin.
  std::stable_partition(packages.begin(), packages.end(), [&](const PackageFile& file) {
    return wanted_.release && is_package_of_release(file.path, *wanted_.release);
  });
  std::vector<Candidate> candidates;
  for (PackageFile& file : packages) {
    std::optional<Candidate> candidate = examine(std::move(file));
    if (!candidate) continue;
    candidates.push_back(std::move(*candidate));
    if (!names_one_build(wanted_.release)) continue;
    if (auto source = try_candidate(std::move(candidates.back()))) return source;
    candidates.pop_back();
  }
  sort_by_build_time(candidates);
  for (Candidate& candidate : candidates) {
    if (auto source = try_candidate(std::move(candidate))) return source;
  }
  return std::nullopt;
}

SymbolSource PackageSearch::search(const Inputs& inputs) {
  const auto is_wanted = [&](std::unique_ptr<ByteStream> stream) {
    try {
      const auto kernel =
          find_kernel_file(open_package(std::move(stream), use_, diagnostics_)->files());
      return kernel && fits(*kernel);
    } catch (const Error&) {
      return true;  // what is wrong with it is said when it is its turn
    }
  };
  std::vector<PackageFile> packages = list_packages(inputs.symbols, is_wanted, diagnostics_);
  // Types are better than none: debuginfo packages come first, wherever they lie.
  const auto kernels =
      std::stable_partition(packages.begin(), packages.end(),
                            [](const PackageFile& file) { return !is_kernel_package(file.path); });
  std::vector<PackageFile> second(std::make_move_iterator(kernels),
                                  std::make_move_iterator(packages.end()));
  packages.erase(kernels, packages.end());
  std::optional<SymbolSource> source = search(std::move(packages));
  if (!source) source = search(std::move(second));
  if (!source) fail(inputs.symbol_names());
  if (unusable_) diagnostics_.warn(unusable_->what());
  return std::move(*source);
}

void PackageSearch::fail(const std::string& name) const {
  if (unusable_) throw Error(*unusable_);
  if (refused_) throw Error(*refused_);
  if (!found_.empty()) {
    throw Error(
        Failure::Mismatch,
        fmt::format("{}: not the guest's release: the guest runs {}, found kernels of {}", name,
                    wanted_.release.value_or("an unknown kernel"), fmt::join(found_, ", ")));
  }
  if (!others_.empty()) {
    throw unusable(fmt::format(
        "{}: expected a vmlinux (usr/lib/debug/lib/modules/*/vmlinux-*) or a System.map "
        "(boot/System.map-*), found neither in {}",
        name, fmt::join(others_, ", ")));
  }
  throw unusable(fmt::format(
      "{}: expected a kernel package (linux-*.rpm, linux-esx-*.rpm...) or its debuginfo package, "
      "found none: use the release's main ISO or its debug ISO, or the package itself",
      name));
}

}  // namespace photon_dmesg
