#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_tree.h"
#include "session/bundle.h"

namespace photon_dmesg {

// The system's files, and those in bundles as if these were folders: "ticket.zip/vm/vm.vmss". What
// a bundle holds is known once it has been entered. For one thread at a time.
class BundleTree final : public FileTree {
 public:
  explicit BundleTree(ReadAhead ahead = ReadAhead::Memory, const BundleLimits& limits = {})
      : ahead_(ahead), limits_(limits) {}

  // Lists the bundle that `path` is or leads into, unless that has been done. Warns of what is
  // damaged of it, throws Error(UnusableInput) when nothing of it can be read. Nothing happens if
  // there is no bundle on the way.
  void enter(const std::filesystem::path& path, Diagnostics& diagnostics);

  // Whether `path` is a folder of the system's, a bundle that was entered, or a folder in one.
  [[nodiscard]] bool is_folder(const std::filesystem::path& path) const;

  // Whether `path` is a bundle that was entered, or leads into one.
  [[nodiscard]] bool is_bundled(const std::filesystem::path& path) const;

  // Every file at or below `folder`, of a bundle that was entered, ascending.
  [[nodiscard]] std::vector<std::filesystem::path> files_below(
      const std::filesystem::path& folder) const;

  // What the first bytes of `file` say, of a bundle that was entered with ReadAhead::SmallFiles.
  [[nodiscard]] FirstBytes first_bytes(const std::filesystem::path& file) const;

  // The symbolic links there, which are none of these files and are not followed, ascending.
  [[nodiscard]] std::vector<std::filesystem::path> links_below(
      const std::filesystem::path& folder) const;

  // The bundles in bundles in the bundle that `path` is or leads into.
  [[nodiscard]] std::vector<std::filesystem::path> too_deep(
      const std::filesystem::path& path) const;

  [[nodiscard]] std::vector<std::filesystem::path> files(
      const std::filesystem::path& folder) const override;
  [[nodiscard]] std::shared_ptr<const ByteSource> open(const std::filesystem::path& file,
                                                       Diagnostics& diagnostics) const override;
  [[nodiscard]] std::optional<std::time_t> changed(
      const std::filesystem::path& file) const override;
  [[nodiscard]] std::optional<std::filesystem::path> behind_links(
      const std::filesystem::path& file) const override;
  [[nodiscard]] bool are_same(const std::filesystem::path& left,
                              const std::filesystem::path& right) const override;

 private:
  // A path through a bundle.
  struct Place {
    std::filesystem::path path;  // of the bundle
    Bundle* bundle;
    std::string inside;  // empty: the bundle itself
  };

  [[nodiscard]] std::optional<Place> find_place(const std::filesystem::path& path) const;

  ReadAhead ahead_;
  BundleLimits limits_;
  std::map<std::filesystem::path, std::unique_ptr<Bundle>> bundles_;
};

// The longest part of `path`, from its beginning, that is a file: that itself, or the bundle that
// it leads into. Nothing if no part of it is one.
[[nodiscard]] std::optional<std::filesystem::path> file_on_the_way(
    const std::filesystem::path& path);

}  // namespace photon_dmesg
