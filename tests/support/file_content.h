#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace photon_dmesg::test {

// All bytes of a file.
inline std::string file_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace photon_dmesg::test
