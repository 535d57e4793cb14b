#include "base/file_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "base/input_file.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

class DiskTree final : public FileTree {
 public:
  [[nodiscard]] std::vector<fs::path> files(const fs::path& folder) const override {
    std::vector<fs::path> found;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_regular_file(ignored)) found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  [[nodiscard]] std::shared_ptr<const ByteSource> open(const fs::path& file,
                                                       Diagnostics&) const override {
    return std::make_shared<InputFile>(file);
  }

  [[nodiscard]] std::optional<std::time_t> changed(const fs::path& file) const override {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    return status.st_mtim.tv_sec;
  }

  [[nodiscard]] std::optional<fs::path> behind_links(const fs::path& file) const override {
    std::error_code error;
    fs::path target = fs::canonical(file, error);
    return error ? std::nullopt : std::optional(std::move(target));
  }

  [[nodiscard]] bool are_same(const fs::path& left, const fs::path& right) const override {
    std::error_code ignored;
    return fs::equivalent(left, right, ignored);
  }
};

}  // namespace

const FileTree& disk_tree() {
  static const DiskTree tree;
  return tree;
}

}  // namespace photon_dmesg
