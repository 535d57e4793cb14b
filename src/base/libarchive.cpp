#include "base/libarchive.h"

#include "base/error.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Libarchive::Libarchive() : library_(PHOTON_DMESG_LIBARCHIVE) {}

const Libarchive& libarchive() {
  static const Libarchive library;
  return library;
}

ArchiveHandle new_archive_handle() {
  ArchiveHandle handle(libarchive().archive_read_new());
  if (!handle) throw unusable("libarchive: out of memory");
  return handle;
}

}  // namespace photon_dmesg
