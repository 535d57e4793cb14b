#include "checkpoint/vmware/companion_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/gzip_file.h"
#include "base/input_file.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The name without ".gz" and without its own ending.
std::string base_name(const fs::path& file) {
  fs::path name = file.filename();
  if (lower_case(name.extension().string()) == ".gz") name = name.stem();
  return name.stem().string();
}

std::optional<fs::path> find_beside(const fs::path& file, const std::vector<std::string>& endings) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::vector<std::string> exact;
  std::vector<std::string> other;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    for (const std::string& ending : endings) {
      const std::string wanted = base_name(file) + "." + ending;
      if (name == wanted) {
        exact.push_back(name);
      } else if (lower_case(name) == lower_case(wanted) ||
                 lower_case(name) == lower_case(wanted + ".gz")) {
        other.push_back(name);
      }
    }
  }
  std::vector<std::string>& found = exact.empty() ? other : exact;
  if (found.size() > 1) {
    std::sort(found.begin(), found.end());
    throw Error(Failure::Usage, fmt::format("{}: several files beside it fit ({}): name the one to "
                                            "use",
                                            file.string(), fmt::join(found, ", ")));
  }
  return found.empty() ? std::nullopt : std::optional(file.parent_path() / found.front());
}

}  // namespace

std::optional<fs::path> find_companion(const fs::path& file,
                                       const std::vector<std::string>& endings) {
  if (auto beside = find_beside(file, endings)) return beside;
  // A link may lie anywhere, and have another name.
  std::error_code error;
  const fs::path target = fs::canonical(file, error);
  return error ? std::nullopt : find_beside(target, endings);
}

std::string shared_name(const fs::path& file) {
  return lower_case(base_name(file));
}

std::shared_ptr<const ByteSource> open_guest_file(const fs::path& path, Diagnostics& diagnostics) {
  auto file = std::make_unique<InputFile>(path);
  if (!is_gzip_file(*file)) return file;
  diagnostics.found({.what = "packed with gzip", .where = file->name()});
  return std::make_unique<GzipFile>(*file, diagnostics);
}

}  // namespace photon_dmesg
