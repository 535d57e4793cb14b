#pragma once

#include <fmt/format.h>

#include <string>

namespace photon_dmesg::test {

// Members of a cpio archive: in the format "newc", and as RPM names them by number.

inline constexpr unsigned cpio_regular = 0100644;
inline constexpr unsigned cpio_folder = 040755;

inline std::string cpio_padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

inline std::string newc(const std::string& path, const std::string& content,
                        unsigned mode = cpio_regular, unsigned inode = 1) {
  return cpio_padded(fmt::format("070701{:08x}{:08x}{:032x}{:08x}{:032x}{:08x}{:08x}{}", inode,
                                 mode, 0, content.size(), 0, path.size() + 1, 0, path) +
                     '\0') +
         cpio_padded(content);
}

inline std::string stripped(unsigned index, const std::string& content) {
  return cpio_padded(fmt::format("07070X{:08x}", index)) + cpio_padded(content);
}

inline const std::string trailer = newc("TRAILER!!!", "", 0, 0);

}  // namespace photon_dmesg::test
