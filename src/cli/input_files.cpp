#include "cli/input_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/input_file.h"
#include "rpm/file_digest.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

class FileList {
 public:
  // Folders and what has no file of its own, such as a file in an archive, are passed over; a file
  // with several names is listed once.
  void add(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) && !fs::is_block_file(path, error)) return;
    const bool is_known = std::any_of(files_.begin(), files_.end(), [&](const fs::path& known) {
      return fs::equivalent(known, path, error);
    });
    if (!is_known) files_.push_back(path);
  }

  void add(const std::optional<std::string>& path) {
    if (path) add(fs::path(*path));
  }

  [[nodiscard]] const std::vector<fs::path>& files() const { return files_; }

 private:
  std::vector<fs::path> files_;
};

std::vector<fs::path> list(const Options& options, const Guest& guest) {
  FileList files;
  for (const fs::path& path : options.files) files.add(path);
  files.add(fs::path(guest.state().path));
  files.add(fs::path(guest.state().memory_path));
  for (const auto& file : guest.state().files) files.add(fs::path(file->name()));
  const Provenance& symbols = guest.symbols().provenance;
  files.add(symbols.iso);
  files.add(symbols.package);
  files.add(symbols.vmlinux);
  return files.files();
}

}  // namespace

std::vector<TriageReport::Input> input_files(const Options& options, const Guest& guest,
                                             bool digests, Diagnostics& diagnostics) {
  std::vector<TriageReport::Input> inputs;
  for (const fs::path& path : list(options, guest)) {
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
