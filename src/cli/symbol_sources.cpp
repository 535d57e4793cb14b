#include "cli/symbol_sources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/file_stream.h"
#include "iso/iso_image.h"
#include "iso/kernel_packages.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {
namespace {

struct VmlinuxFile {
  RpmPackage::File file;
  std::string release;
};

std::optional<VmlinuxFile> find_vmlinux(const RpmPackage& package) {
  for (const RpmPackage::File& file : package.files()) {
    // Some packages also have a link "vmlinux" to the file.
    if (std::optional<std::string> release = release_of_vmlinux_path(file.path);
        release && file.regular_file) {
      return VmlinuxFile{file, std::move(*release)};
    }
  }
  return std::nullopt;
}

class SymbolSearch {
 public:
  SymbolSearch(const std::optional<std::string>& release,
               const std::function<void(const Vmlinux&)>& accept, Diagnostics& diagnostics)
      : release_(release), accept_(accept), diagnostics_(diagnostics) {}

  SymbolSource search_vmlinux(const InputFile& file) {
    SymbolSource source;
    source.vmlinux = Vmlinux::open(file.path());
    source.vmlinux_path = file.name();
    accept_(*source.vmlinux);
    return source;
  }

  SymbolSource search_package(const InputFile& file) {
    std::optional<SymbolSource> source = try_package(std::make_unique<FileStream>(file));
    if (!source) fail(file.name());
    source->package = file.name();
    return std::move(*source);
  }

  SymbolSource search_iso(const InputFile& file) {
    const IsoImage iso(file.path());
    for (const IsoImage::File& package : iso.files()) {
      if (is_kernel_package(package.path)) kernels_.push_back(package.path);
      if (!is_kernel_debuginfo_package(package.path)) continue;
      if (std::optional<SymbolSource> source = try_package(iso.open(package))) {
        source->iso = file.name();
        source->package = package.path;
        return std::move(*source);
      }
    }
    fail(file.name());
  }

 private:
  // The package's vmlinux, if it is of the wanted release and accepted.
  std::optional<SymbolSource> try_package(std::unique_ptr<ByteStream> stream) {
    RpmPackage package(std::move(stream));
    const std::optional<VmlinuxFile> vmlinux = find_vmlinux(package);
    if (!vmlinux) {
      diagnostics_.note(fmt::format("{}: holds no vmlinux", package.name()));
      without_vmlinux_.push_back(package.label());
      return std::nullopt;
    }
    releases_.push_back(vmlinux->release);
    diagnostics_.note(fmt::format("{}: {}, payload {}, vmlinux of {} ({} bytes)", package.name(),
                                  package.label(), package.compressor(), vmlinux->release,
                                  vmlinux->file.size));
    if (release_ && vmlinux->release != *release_) {
      return std::nullopt;
    }
    SymbolSource source;
    const std::unique_ptr<ByteStream> content = package.open(vmlinux->file);
    source.vmlinux = Vmlinux::load(*content, vmlinux->file.size, diagnostics_);
    source.vmlinux_path = vmlinux->file.path;
    try {
      accept_(*source.vmlinux);
    } catch (const Error& error) {
      if (error.failure() != Failure::Mismatch) throw;
      diagnostics_.note(error.what());
      refused_ = error;
      return std::nullopt;
    }
    return source;
  }

  [[noreturn]] void fail(const std::string& name) const {
    if (refused_) {
      throw Error(*refused_);
    }
    if (!releases_.empty()) {
      throw Error(
          Failure::Mismatch,
          fmt::format("{}: not the guest's release: the guest runs {}, found debug "
                      "information of {}",
                      name, release_.value_or("an unknown kernel"), fmt::join(releases_, ", ")));
    }
    if (!without_vmlinux_.empty()) {
      throw unusable(
          fmt::format("{}: expected a vmlinux (usr/lib/debug/lib/modules/*/vmlinux-*), "
                      "found none in {}",
                      name, fmt::join(without_vmlinux_, ", ")));
    }
    throw unusable(fmt::format(
        "{}: expected a kernel debuginfo package (linux*-debuginfo-*.rpm), found {}; main ISOs "
        "since 2017 carry none: use the release's debug ISO (*.debug.iso) or the package itself",
        name, kernels_.empty() ? "none" : fmt::format("only {}", fmt::join(kernels_, ", "))));
  }

  const std::optional<std::string>& release_;
  const std::function<void(const Vmlinux&)>& accept_;
  Diagnostics& diagnostics_;
  std::vector<std::string> kernels_;
  std::vector<std::string> releases_;
  std::vector<std::string> without_vmlinux_;
  std::optional<Error> refused_;
};

}  // namespace

SymbolSource find_symbols(const Inputs& inputs, const std::optional<std::string>& release,
                          const std::function<void(const Vmlinux&)>& accept,
                          Diagnostics& diagnostics) {
  SymbolSearch search(release, accept, diagnostics);
  switch (inputs.symbols_kind) {
    case SymbolSourceKind::Iso:
      return search.search_iso(*inputs.symbols);
    case SymbolSourceKind::Package:
      return search.search_package(*inputs.symbols);
    case SymbolSourceKind::Vmlinux:
      return search.search_vmlinux(*inputs.symbols);
  }
  throw unusable("unknown kind of symbol source");
}

}  // namespace photon_dmesg
