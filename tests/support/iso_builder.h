#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace photon_dmesg::test {

// Writes an ISO 9660 image with Rock Ridge names that holds `files` (path, content) in that order,
// and `links` to some of them (path, that of the file): names of the same content.
inline void write_iso(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& files,
                      const std::vector<std::pair<std::string, std::string>>& links = {}) {
  const std::unique_ptr<archive, decltype(&archive_write_free)> iso(archive_write_new(),
                                                                    archive_write_free);
  archive_write_set_format_iso9660(iso.get());
  if (archive_write_open_filename(iso.get(), path.c_str()) != ARCHIVE_OK) {
    throw std::runtime_error(archive_error_string(iso.get()));
  }
  const auto write = [&](const std::string& name, const std::string& content,
                         const std::string& target) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_entry_set_nlink(entry.get(), static_cast<unsigned>(links.size() + 1));
    if (!target.empty()) archive_entry_set_hardlink(entry.get(), target.c_str());
    if (archive_write_header(iso.get(), entry.get()) != ARCHIVE_OK ||
        archive_write_data(iso.get(), content.data(), content.size()) < 0) {
      throw std::runtime_error(archive_error_string(iso.get()));
    }
  };
  for (const auto& [name, content] : files) write(name, content, "");
  for (const auto& [name, target] : links) write(name, "", target);
  if (archive_write_close(iso.get()) != ARCHIVE_OK) {
    throw std::runtime_error(archive_error_string(iso.get()));
  }
}

}  // namespace photon_dmesg::test
