#include "cli/vmlinux_copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file_stream.h"
#include "iso/iso_image.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {
namespace {

constexpr const char* doing = "writing vmlinux";

void copy_from_package(std::unique_ptr<ByteStream> stream, OutputFile& target,
                       Diagnostics& diagnostics) {
  RpmPackage package(std::move(stream));
  const std::optional<KernelFile> found = find_kernel_file(package.files());
  if (!found) throw unusable(fmt::format("{}: its vmlinux is gone", package.name()));
  const std::unique_ptr<ByteStream> content = package.open(found->file);
  std::uint64_t done = 0;
  for (auto bytes = content->next(); !bytes.empty(); bytes = content->next()) {
    target.write(done, bytes);
    done += bytes.size();
    diagnostics.progress(doing, done, found->file.size);
  }
  target.finish(done);
}

void copy_from_iso(const InputFile& file, const std::string& package, OutputFile& target,
                   Diagnostics& diagnostics) {
  const IsoImage iso(file.path());
  const auto found =
      std::find_if(iso.files().begin(), iso.files().end(),
                   [&](const IsoImage::File& other) { return other.path == package; });
  if (found == iso.files().end()) {
    throw unusable(fmt::format("{}: {} is gone", file.name(), package));
  }
  copy_from_package(iso.open(*found), target, diagnostics);
}

}  // namespace

void copy_vmlinux(const Inputs& inputs, const SymbolSource& source, OutputFile& target,
                  Diagnostics& diagnostics) {
  const InputFile& file = *inputs.symbols;
  switch (inputs.symbols_kind) {
    case SymbolSourceKind::Iso:
      return copy_from_iso(file, *source.package, target, diagnostics);
    case SymbolSourceKind::Package:
      return copy_from_package(std::make_unique<FileStream>(file), target, diagnostics);
    default:
      target.copy(file, 0, file.size(), 0,
                  [&](std::uint64_t done) { diagnostics.progress(doing, done, file.size()); });
      target.finish(file.size());
  }
}

}  // namespace photon_dmesg
