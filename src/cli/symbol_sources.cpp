#include "cli/symbol_sources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/file_stream.h"
#include "iso/iso_image.h"
#include "iso/kernel_packages.h"
#include "kernel/memory_symbols.h"
#include "kernel/profile.h"
#include "kernel/system_map.h"
#include "kernel/vmlinux.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {
namespace {

class SymbolSearch {
 public:
  SymbolSearch(const std::optional<std::string>& release,
               const std::function<void(const KernelSymbols&)>& accept, const ProfileCache* cache,
               Diagnostics& diagnostics)
      : release_(release), accept_(accept), cache_(cache), diagnostics_(diagnostics) {}

  SymbolSource search_vmlinux(const InputFile& file) {
    return use_file(Vmlinux::open(file.path()), &SymbolSource::vmlinux, file);
  }

  SymbolSource search_system_map(const InputFile& file) {
    FileStream stream(file);
    return use_file(SystemMap::load(stream), &SymbolSource::system_map, file);
  }

  SymbolSource search_profile(const InputFile& file) {
    return use_file(Profile::read(file), &SymbolSource::profile, file);
  }

  SymbolSource search_package(const InputFile& file) {
    std::optional<SymbolSource> source = try_package(std::make_unique<FileStream>(file));
    if (!source) fail(file.name());
    source->package = file.name();
    return std::move(*source);
  }

  SymbolSource search_iso(const InputFile& file) {
    const IsoImage iso(file.path());
    // Types are better than none: debuginfo packages come first, wherever they lie.
    for (const auto is_candidate : {is_kernel_debuginfo_package, is_kernel_package}) {
      for (const IsoImage::File& package : iso.files()) {
        if (!is_candidate(package.path)) continue;
        if (std::optional<SymbolSource> source = try_package_of(iso, package)) {
          source->iso = file.name();
          source->package = package.path;
          return std::move(*source);
        }
      }
    }
    fail(file.name());
  }

 private:
  // A file that is of one kernel: accepted, or the reason is the user's answer.
  SymbolSource use_file(std::unique_ptr<KernelSymbols> symbols,
                        std::optional<std::string> SymbolSource::*role, const InputFile& file) {
    SymbolSource source;
    source.symbols = std::move(symbols);
    source.*role = file.name();
    accept_(*source.symbols);
    return source;
  }

  // A package that can't be used leaves the others to be tried; the reason is kept.
  std::optional<SymbolSource> try_package_of(const IsoImage& iso, const IsoImage::File& package) {
    try {
      std::optional<SymbolSource> source = try_package(iso.open(package));
      if (source && unusable_) diagnostics_.warn(unusable_->what());
      return source;
    } catch (const Error& error) {
      if (error.failure() != Failure::UnusableInput) throw;
      diagnostics_.note(error.what());
      if (!unusable_) unusable_ = error;
      return std::nullopt;
    }
  }

  // The package's kernel file, if it is of the wanted release and accepted.
  std::optional<SymbolSource> try_package(std::unique_ptr<ByteStream> stream) {
    RpmPackage package(std::move(stream));
    const std::optional<KernelFile> found = find_kernel_file(package.files());
    if (!found) {
      diagnostics_.note(fmt::format("{}: holds neither vmlinux nor System.map", package.name()));
      others_.push_back(package.label());
      return std::nullopt;
    }
    releases_.push_back(found->release);
    diagnostics_.note(fmt::format("{}: {}, payload {}, {} of {} ({} bytes)", package.name(),
                                  package.label(), package.compressor(), found->file.path,
                                  found->release, found->file.size));
    if (release_ && found->release != *release_) {
      return std::nullopt;
    }
    SymbolSource source = find_in_cache(package, *found);
    const bool was_in_cache = source.symbols != nullptr;
    if (!was_in_cache) source = load(package, *found);
    try {
      accept_(*source.symbols);
    } catch (const Error& error) {
      if (error.failure() != Failure::Mismatch) throw;
      diagnostics_.note(error.what());
      refused_ = error;
      return std::nullopt;
    }
    if (cache_ != nullptr && !was_in_cache) {
      cache_->store(package.header_digest(), *source.symbols, found->release,
                    fmt::format("{}: {}", package.label(), found->file.path), diagnostics_);
    }
    return source;
  }

  // Without symbols if the package is not there.
  SymbolSource find_in_cache(const RpmPackage& package, const KernelFile& found) {
    SymbolSource source;
    if (cache_ == nullptr) return source;
    source.symbols = cache_->find(package.header_digest(), diagnostics_);
    if (source.symbols) {
      name_file(source, found);
      source.profile = source.symbols->name();
    }
    return source;
  }

  static void name_file(SymbolSource& source, const KernelFile& found) {
    source.release = found.release;
    auto& role = found.kind == KernelFile::Kind::Vmlinux ? source.vmlinux : source.system_map;
    role = found.file.path;
  }

  SymbolSource load(RpmPackage& package, const KernelFile& found) {
    const std::unique_ptr<ByteStream> content = package.open(found.file);
    SymbolSource source;
    name_file(source, found);
    switch (found.kind) {
      case KernelFile::Kind::Vmlinux:
        source.symbols = Vmlinux::load(*content, found.file.size, diagnostics_);
        break;
      case KernelFile::Kind::SystemMap:
        source.symbols = SystemMap::load(*content);
        break;
    }
    return source;
  }

  [[noreturn]] void fail(const std::string& name) const {
    if (unusable_) {
      throw Error(*unusable_);
    }
    if (refused_) {
      throw Error(*refused_);
    }
    if (!releases_.empty()) {
      throw Error(
          Failure::Mismatch,
          fmt::format("{}: not the guest's release: the guest runs {}, found kernels of {}", name,
                      release_.value_or("an unknown kernel"), fmt::join(releases_, ", ")));
    }
    if (!others_.empty()) {
      throw unusable(fmt::format(
          "{}: expected a vmlinux (usr/lib/debug/lib/modules/*/vmlinux-*) or a System.map "
          "(boot/System.map-*), found neither in {}",
          name, fmt::join(others_, ", ")));
    }
    throw unusable(
        fmt::format("{}: expected a kernel package (linux-*.rpm, linux-esx-*.rpm...) or its "
                    "debuginfo package, found none: use the release's main ISO or its debug ISO, "
                    "or the package itself",
                    name));
  }

  const std::optional<std::string>& release_;
  const std::function<void(const KernelSymbols&)>& accept_;
  const ProfileCache* cache_;
  Diagnostics& diagnostics_;
  std::vector<std::string> releases_;
  std::vector<std::string> others_;  // packages that hold no kernel
  std::optional<Error> unusable_;    // of the first package that can't be used
  std::optional<Error> refused_;
};

}  // namespace

SymbolSource find_symbols(const Inputs& inputs, const std::optional<std::string>& release,
                          const std::function<void(const KernelSymbols&)>& accept,
                          const ProfileCache* cache, Diagnostics& diagnostics) {
  SymbolSearch search(release, accept, cache, diagnostics);
  switch (inputs.symbols_kind) {
    case SymbolSourceKind::Iso:
      return search.search_iso(*inputs.symbols);
    case SymbolSourceKind::Package:
      return search.search_package(*inputs.symbols);
    case SymbolSourceKind::Vmlinux:
      return search.search_vmlinux(*inputs.symbols);
    case SymbolSourceKind::SystemMap:
      return search.search_system_map(*inputs.symbols);
    case SymbolSourceKind::Profile:
      return search.search_profile(*inputs.symbols);
  }
  throw unusable("unknown kind of symbol source");
}

SymbolSource find_symbols_in_memory(const GuestMemory& memory, const RunningKernel* running,
                                    const std::function<void(const KernelSymbols&)>& accept,
                                    Diagnostics& diagnostics) {
  if (running == nullptr) {
    throw unusable(fmt::format(
        "{}: no vCPU leads to a kernel, and none was found in all of the memory: is this the "
        "memory of a Linux guest that had booted?",
        memory.name()));
  }
  auto symbols = MemorySymbols::find(memory, *running, diagnostics);
  SymbolSource source;
  source.memory = symbols->origin();
  source.symbols = std::move(symbols);
  accept(*source.symbols);
  return source;
}

}  // namespace photon_dmesg
