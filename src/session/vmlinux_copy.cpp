#include "session/vmlinux_copy.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/input_file.h"
#include "rpm/kernel_files.h"

namespace photon_dmesg {
namespace {

constexpr const char* doing = "writing vmlinux";

// The package may have been replaced since, or be another than the one that is remembered.
void copy_from_package(RpmPackage& package, const std::string& header_digest, OutputFile& target,
                       Diagnostics& diagnostics) {
  if (package.header_digest() != header_digest) {
    throw unusable(fmt::format(
        "{}: expected the package that the symbols are of, found another: it has changed since",
        package.name()));
  }
  const std::optional<KernelFile> found = find_kernel_file(package.files());
  if (!found) throw unusable(fmt::format("{}: its vmlinux is gone", package.name()));
  const std::unique_ptr<ByteStream> content = package.open(found->file);
  std::uint64_t done = 0;
  for (auto bytes = content->next(); !bytes.empty(); bytes = content->next()) {
    target.write(done, bytes);
    done += bytes.size();
    diagnostics.progress({doing, done, found->file.size});
  }
  package.verify_payload();
  target.finish(done);
}

}  // namespace

void copy_vmlinux(const SymbolSource& source, const PackageUse& use, OutputFile& target,
                  Diagnostics& diagnostics) {
  if (source.open_package) {
    return copy_from_package(*open_package(source.open_package(), use, diagnostics),
                             source.header_digest, target, diagnostics);
  }
  const InputFile file(*source.provenance.vmlinux);
  target.copy(file, 0, file.size(), 0, [&](std::uint64_t done) {
    diagnostics.progress({doing, done, file.size()});
  });
  target.finish(file.size());
}

}  // namespace photon_dmesg
