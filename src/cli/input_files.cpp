#include "cli/input_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/input_file.h"
#include "rpm/file_digest.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

// Folders and what has no file of its own, such as a file in an archive, are passed over; a file
// with several names is listed once.
std::vector<fs::path> only_files(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) && !fs::is_block_file(path, error)) continue;
    const bool is_known = std::any_of(files.begin(), files.end(), [&](const fs::path& known) {
      return fs::equivalent(known, path, error);
    });
    if (!is_known) files.push_back(path);
  }
  return files;
}

}  // namespace

std::vector<fs::path> files_of(const Options& options, const Guest& guest) {
  std::vector<fs::path> files;
  for (const fs::path& path : options.files) {
    // Of what lies in a bundle, that is the file.
    files.push_back(file_on_the_way(path).value_or(path));
  }
  files.emplace_back(guest.state().path);
  files.emplace_back(guest.state().memory_path);
  for (const auto& file : guest.state().files) files.emplace_back(file->name());
  const Provenance& symbols = guest.symbols().provenance;
  for (const auto& path : {symbols.iso, symbols.package, symbols.vmlinux}) {
    if (path) files.emplace_back(*path);
  }
  return files;
}

std::vector<TriageReport::Input> input_files(const std::vector<fs::path>& files, bool digests,
                                             Diagnostics& diagnostics) {
  std::vector<TriageReport::Input> inputs;
  for (const fs::path& path : only_files(files)) {
    TriageReport::Input input;
    input.path = path.string();
    try {
      const InputFile file(path);
      input.size = file.size();
      if (digests) input.sha256 = sha256_of(file, diagnostics);
    } catch (const Error& error) {
      diagnostics.warn(fmt::format("no SHA-256 of an input: {}", error.what()));
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace photon_dmesg
