#pragma once

#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"

namespace photon_dmesg {

// Files by their paths, wherever these lead: to folders of the system's, or into what is read as if
// it were one.
class FileTree {
 public:
  FileTree() = default;
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;
  virtual ~FileTree() = default;

  // The files in `folder`, ascending by name, without the folders in it. Empty if it can't be read.
  [[nodiscard]] virtual std::vector<std::filesystem::path> files(
      const std::filesystem::path& folder) const = 0;

  // Opens a file, under the name `file`. Throws Error(UnusableInput) when it can't be read.
  [[nodiscard]] virtual std::shared_ptr<const ByteSource> open(const std::filesystem::path& file,
                                                               Diagnostics& diagnostics) const = 0;

  // When it was changed last, in seconds since 1970, UTC; nothing if that is not known.
  [[nodiscard]] virtual std::optional<std::time_t> changed(
      const std::filesystem::path& file) const = 0;

  // What `file` is if it is a symbolic link; nothing if it leads nowhere.
  [[nodiscard]] virtual std::optional<std::filesystem::path> behind_links(
      const std::filesystem::path& file) const = 0;

  // Whether two paths lead to one file or folder.
  [[nodiscard]] virtual bool are_same(const std::filesystem::path& left,
                                      const std::filesystem::path& right) const = 0;
};

// That of the system.
[[nodiscard]] const FileTree& disk_tree();

}  // namespace photon_dmesg
