#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of libarchive that this program calls, under their own names. The program is not
// linked with libarchive: a call that goes past this table does not link.
class Libarchive {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Libarchive();

  // An archive, and what can be read of it.
  decltype(&::archive_error_string) archive_error_string =
      library_.function("archive_error_string");
  decltype(&::archive_format) archive_format = library_.function("archive_format");
  decltype(&::archive_read_data_block) archive_read_data_block =
      library_.function("archive_read_data_block");
  decltype(&::archive_read_free) archive_read_free = library_.function("archive_read_free");
  decltype(&::archive_read_has_encrypted_entries) archive_read_has_encrypted_entries =
      library_.function("archive_read_has_encrypted_entries");
  decltype(&::archive_read_new) archive_read_new = library_.function("archive_read_new");
  decltype(&::archive_read_next_header) archive_read_next_header =
      library_.function("archive_read_next_header");
  decltype(&::archive_set_error) archive_set_error = library_.function("archive_set_error");

  // What it is read from.
  decltype(&::archive_read_open) archive_read_open = library_.function("archive_read_open");
  decltype(&::archive_read_open1) archive_read_open1 = library_.function("archive_read_open1");
  decltype(&::archive_read_set_callback_data) archive_read_set_callback_data =
      library_.function("archive_read_set_callback_data");
  decltype(&::archive_read_set_read_callback) archive_read_set_read_callback =
      library_.function("archive_read_set_read_callback");
  decltype(&::archive_read_set_seek_callback) archive_read_set_seek_callback =
      library_.function("archive_read_set_seek_callback");
  decltype(&::archive_read_set_skip_callback) archive_read_set_skip_callback =
      library_.function("archive_read_set_skip_callback");

  // What it may be.
  decltype(&::archive_read_support_filter_bzip2) archive_read_support_filter_bzip2 =
      library_.function("archive_read_support_filter_bzip2");
  decltype(&::archive_read_support_filter_lz4) archive_read_support_filter_lz4 =
      library_.function("archive_read_support_filter_lz4");
  decltype(&::archive_read_support_filter_zstd) archive_read_support_filter_zstd =
      library_.function("archive_read_support_filter_zstd");
  decltype(&::archive_read_support_format_7zip) archive_read_support_format_7zip =
      library_.function("archive_read_support_format_7zip");
  decltype(&::archive_read_support_format_iso9660) archive_read_support_format_iso9660 =
      library_.function("archive_read_support_format_iso9660");
  decltype(&::archive_read_support_format_raw) archive_read_support_format_raw =
      library_.function("archive_read_support_format_raw");
  decltype(&::archive_read_support_format_tar) archive_read_support_format_tar =
      library_.function("archive_read_support_format_tar");
  decltype(&::archive_read_support_format_zip) archive_read_support_format_zip =
      library_.function("archive_read_support_format_zip");

  // A member.
  decltype(&::archive_entry_filetype) archive_entry_filetype =
      library_.function("archive_entry_filetype");
  decltype(&::archive_entry_hardlink) archive_entry_hardlink =
      library_.function("archive_entry_hardlink");
  decltype(&::archive_entry_is_encrypted) archive_entry_is_encrypted =
      library_.function("archive_entry_is_encrypted");
  decltype(&::archive_entry_mtime) archive_entry_mtime = library_.function("archive_entry_mtime");
  decltype(&::archive_entry_mtime_is_set) archive_entry_mtime_is_set =
      library_.function("archive_entry_mtime_is_set");
  decltype(&::archive_entry_pathname) archive_entry_pathname =
      library_.function("archive_entry_pathname");
  decltype(&::archive_entry_pathname_utf8) archive_entry_pathname_utf8 =
      library_.function("archive_entry_pathname_utf8");
  decltype(&::archive_entry_size) archive_entry_size = library_.function("archive_entry_size");
};

// Loads libarchive when it is first called, and throws as its constructor does, each time that it
// can't. Any thread may call it.
[[nodiscard]] const Libarchive& libarchive();

struct FreeArchive {
  void operator()(archive* handle) const { libarchive().archive_read_free(handle); }
};

// What libarchive reads an archive by.
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;

// Throws Error(UnusableInput) if there is no memory for one.
[[nodiscard]] ArchiveHandle new_archive_handle();

}  // namespace photon_dmesg
