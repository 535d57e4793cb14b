#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_source.h"
#include "session/bundle_walk.h"

namespace photon_dmesg {

// What of a bundle is read while it is listed.
enum class ReadAhead {
  SmallFiles,  // what tells of VMs: checkpoints, configurations, logs, and how others begin
  Memory,      // and a guest's memory: the first, or the one that the configuration leads to
};

// The members of a bundle that are kept in memory once they have come by, as to have them later
// would take unpacking the bundle again.
class KeptMembers {
 public:
  // `name`: of the bundle. `within`: the path of the file or folder in it that is meant; empty: the
  // whole.
  KeptMembers(std::string name, std::string within, ReadAhead ahead, const SpoolLimits& limits);

  // Whether `file` is worth to be kept before anybody has asked for it.
  [[nodiscard]] bool wants(const BundledFile& file) const;

  // Reads `content` under the name "BUNDLE/PATH" and keeps it. Throws Error(UnusableInput) when it
  // is larger than the limits; what nobody else holds makes way before.
  std::shared_ptr<const ByteSource> keep(const BundledFile& file, BundledContent& content,
                                         Diagnostics& diagnostics);

  // As keep(), but a file that is too large is none of those that are kept.
  void keep_ahead(const BundledFile& file, BundledContent& content, Diagnostics& diagnostics);

  // Null if it is not kept.
  [[nodiscard]] std::shared_ptr<const ByteSource> find(const BundledFile& file) const;

 private:
  using Key = std::pair<std::uint64_t, std::string>;  // a member's number, and its path or a link's
  static Key key_of(const BundledFile& file) { return {file.number, file.path}; }

  struct Kept {
    std::shared_ptr<const ByteSource> source;
    std::uint64_t bytes = 0;  // of memory
  };

  [[nodiscard]] bool is_within(const std::string& path) const;
  [[nodiscard]] bool wants_memory(const std::filesystem::path& path) const;
  void note_configuration(const BundledFile& file, const ByteSource& source);
  void drop_unused();
  std::shared_ptr<const ByteSource> read(const BundledFile& file, BundledContent& content,
                                         std::uint64_t most, Diagnostics& diagnostics);

  std::string name_;
  std::string within_;
  ReadAhead ahead_;
  SpoolLimits limits_;
  std::map<Key, Kept> kept_;
  std::uint64_t bytes_ = 0;            // of memory, of all of them
  std::uint64_t small_bytes_ = 0;      // of the content of small ones
  std::optional<BundledFile> memory_;  // that was kept ahead
  std::map<std::string, std::string>
      current_;  // the names that current checkpoints share, by folder
};

}  // namespace photon_dmesg
