#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "session/bundle_walk.h"
#include "session/kept_members.h"

namespace photon_dmesg {

// A bundle, listed once and read in memory: nothing of it goes to disk. Of one that can be read
// only from its beginning to its end, a packed tar archive, what is likely to be asked for is kept
// then. For one thread at a time.
class Bundle {
 public:
  // `within`: the file or folder in it that is meant; empty: the whole. What is damaged of it, or
  // left out, is a warning. Throws Error(UnusableInput) when it can't be read at all.
  Bundle(std::shared_ptr<const ByteSource> file, const std::string& within, ReadAhead ahead,
         const BundleLimits& limits, Diagnostics& diagnostics);

  // By their paths in it; of several that have one path, the last, which would be what is there if
  // the bundle were unpacked. Of a file with several hard links, each.
  [[nodiscard]] const std::map<std::string, BundledFile>& files() const { return files_; }

  // The paths of symbolic links in it, which are not followed.
  [[nodiscard]] const std::set<std::string>& links() const { return links_; }

  // The paths of bundles in bundles in it, which are not looked into.
  [[nodiscard]] const std::vector<std::string>& too_deep() const { return too_deep_; }

  // Opens the file at `path` in it, under the name "BUNDLE/PATH". Throws Error(UnusableInput) when
  // there is none, when it is encrypted, or is too large to be kept in memory.
  [[nodiscard]] std::shared_ptr<const ByteSource> open(const std::string& path,
                                                       Diagnostics& diagnostics);

 private:
  void list(ReadAhead ahead, Diagnostics& diagnostics);
  void add(const BundledFile& file, Diagnostics& diagnostics);
  void add_links(const std::vector<BundledLink>& links, Diagnostics& diagnostics);
  void warn_of(const BundleLosses& losses, Diagnostics& diagnostics);
  [[nodiscard]] const BundledFile& find(const std::string& path) const;
  std::shared_ptr<const ByteSource> read(const BundledFile& wanted, Diagnostics& diagnostics);

  std::shared_ptr<const ByteSource> file_;
  BundleLimits limits_;
  KeptMembers kept_;
  std::map<std::string, BundledFile> files_;
  std::vector<std::string> too_deep_;
  std::set<std::string> links_;
  std::set<std::string> said_;  // of its damage
};

}  // namespace photon_dmesg
