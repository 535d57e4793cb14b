#include "checkpoint/vmware/companion_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "base/packed_file.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What stands behind the names of files that are packed.
constexpr std::array packed_endings = {".gz", ".zst", ".xz", ".bz2"};

// Whether `name` is `wanted` in upper or lower case, packed or not.
bool is_like(const std::string& name, const std::string& wanted) {
  const std::string ending = fs::path(name).extension().string();
  return lower_case(name) == lower_case(wanted) ||
         (is_packed_name(name) && lower_case(name) == lower_case(wanted + ending));
}

std::optional<fs::path> find_beside(const FileTree& tree, const fs::path& file,
                                    const std::vector<std::string>& endings) {
  std::vector<std::string> exact;
  std::vector<std::string> other;
  for (const fs::path& path : tree.files(file.has_parent_path() ? file.parent_path() : ".")) {
    const std::string name = path.filename().string();
    for (const std::string& ending : endings) {
      const std::string wanted = name_without_endings(file) + "." + ending;
      if (name == wanted) {
        exact.push_back(name);
      } else if (is_like(name, wanted)) {
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

std::optional<fs::path> find_companion(const FileTree& tree, const fs::path& file,
                                       const std::vector<std::string>& endings) {
  if (auto beside = find_beside(tree, file, endings)) return beside;
  // A link may lie anywhere, and have another name.
  const std::optional<fs::path> target = tree.behind_links(file);
  return target ? find_beside(tree, *target, endings) : std::nullopt;
}

bool is_packed_name(const fs::path& name) {
  return std::find(packed_endings.begin(), packed_endings.end(),
                   lower_case(name.extension().string())) != packed_endings.end();
}

std::string name_without_endings(const fs::path& file) {
  fs::path name = file.filename();
  if (is_packed_name(name)) name = name.stem();
  return name.stem().string();
}

std::string shared_name(const fs::path& file) {
  return lower_case(name_without_endings(file));
}

std::shared_ptr<const ByteSource> open_guest_file(const FileTree& tree, const fs::path& path,
                                                  Diagnostics& diagnostics) {
  std::shared_ptr<const ByteSource> file = tree.open(path, diagnostics);
  const std::optional<std::string_view> packing = packing_of(*file);
  if (!packing) return file;
  diagnostics.found({.what = fmt::format("packed with {}", *packing), .where = file->name()});
  return unpack_file(*file, diagnostics);
}

}  // namespace photon_dmesg
