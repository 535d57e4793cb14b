#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg::test {

// A file in an archive.
struct ArchivedFile {
  std::string path;
  std::string content;
  // Whatever else is wanted of it.
  std::function<void(archive_entry* entry)> adjust = [](archive_entry*) {};
};

using ArchiveWriter = std::unique_ptr<archive, decltype(&archive_write_free)>;

inline void require_archive(archive* handle, int result) {
  if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(handle));
}

inline void add_filter(archive* handle, std::string_view packing) {
  if (packing == "gzip") require_archive(handle, archive_write_add_filter_gzip(handle));
  if (packing == "zstd") require_archive(handle, archive_write_add_filter_zstd(handle));
  if (packing == "xz") require_archive(handle, archive_write_add_filter_xz(handle));
  if (packing == "bzip2") require_archive(handle, archive_write_add_filter_bzip2(handle));
}

// Opens `handle`, has `write` fill it and returns what was written.
inline std::string written(archive* handle, const std::function<void()>& write) {
  std::string bytes;
  archive_write_set_bytes_in_last_block(handle, 1);
  require_archive(handle, archive_write_open(
                              handle, &bytes, nullptr,
                              [](archive*, void* target, const void* data, std::size_t size) {
                                static_cast<std::string*>(target)->append(
                                    static_cast<const char*>(data), size);
                                return static_cast<la_ssize_t>(size);
                              },
                              nullptr));
  write();
  require_archive(handle, archive_write_close(handle));
  return bytes;
}

inline void add_entry(archive* handle, const ArchivedFile& file) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            archive_entry_free);
  archive_entry_set_pathname(entry.get(), file.path.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 1'700'000'000, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
  file.adjust(entry.get());
  require_archive(handle, archive_write_header(handle, entry.get()));
  if (archive_entry_size(entry.get()) > 0 && !file.content.empty()) {
    if (archive_write_data(handle, file.content.data(), file.content.size()) < 0) {
      throw std::runtime_error(archive_error_string(handle));
    }
  }
}

// `text` packed with "gzip", "zstd", "xz" or "bzip2".
inline std::string pack(const std::string& text, std::string_view packing) {
  const ArchiveWriter writer(archive_write_new(), archive_write_free);
  add_filter(writer.get(), packing);
  require_archive(writer.get(), archive_write_set_format_raw(writer.get()));
  return written(writer.get(), [&] { add_entry(writer.get(), {"raw", text}); });
}

// An archive of the format "tar", "zip" or "7zip"; if `packing` is named, a tar packed with that as
// a whole, or the members of a 7zip ("deflate").
inline std::string write_archive(const std::vector<ArchivedFile>& files, const std::string& format,
                                 std::string_view packing = "", const char* password = nullptr) {
  const ArchiveWriter writer(archive_write_new(), archive_write_free);
  add_filter(writer.get(), packing);
  require_archive(writer.get(), archive_write_set_format_by_name(
                                    writer.get(), format == "tar" ? "gnutar" : format.c_str()));
  if (format == "7zip" && !packing.empty()) {
    const std::string option = "7zip:compression=" + std::string(packing);
    require_archive(writer.get(), archive_write_set_options(writer.get(), option.c_str()));
  }
  if (password != nullptr) {
    require_archive(writer.get(), archive_write_set_passphrase(writer.get(), password));
    require_archive(writer.get(), archive_write_set_options(writer.get(), "zip:encryption=aes256"));
  }
  return written(writer.get(), [&] {
    for (const ArchivedFile& file : files) add_entry(writer.get(), file);
  });
}

}  // namespace photon_dmesg::test
