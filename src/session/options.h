#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace photon_dmesg::session {

// How a guest is opened.
struct Options {
  bool use_cache = true;        // keep what packages gave, and use what they gave before
  bool verify_packages = true;  // refuse packages that are damaged, or only warn
  bool strict = false;          // refuse instead of going on without an input that can't be used
  std::vector<std::filesystem::path> keys;  // public keys of packages' signatures
  // Where what packages gave is kept, whatever `use_cache` says; absent: where the environment
  // says.
  std::optional<std::filesystem::path> cache_folder = {};
};

}  // namespace photon_dmesg::session
