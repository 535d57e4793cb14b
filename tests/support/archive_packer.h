#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>

namespace photon_dmesg::test {

// `content` as one of libarchive's filters (archive_write_add_filter_...) packs it.
inline std::string pack(const std::string& content, int (*filter)(archive*)) {
  std::string packed(content.size() + 65536, '\0');
  std::size_t used = 0;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       archive_write_free);
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            archive_entry_free);
  archive_entry_set_pathname(entry.get(), "content");
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  filter(writer.get());
  archive_write_set_format_raw(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  archive_write_open_memory(writer.get(), packed.data(), packed.size(), &used);
  archive_write_header(writer.get(), entry.get());
  archive_write_data(writer.get(), content.data(), content.size());
  archive_write_close(writer.get());
  packed.resize(used);
  return packed;
}

}  // namespace photon_dmesg::test
