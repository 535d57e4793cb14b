#pragma once

#include <zstd.h>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of libzstd that this program calls, under their own names. The program is not
// linked with libzstd: a call that goes past this table does not link.
class Libzstd {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Libzstd();

  decltype(&::ZSTD_compress) ZSTD_compress = library_.function("ZSTD_compress");
  decltype(&::ZSTD_compressBound) ZSTD_compressBound = library_.function("ZSTD_compressBound");
  decltype(&::ZSTD_decompress) ZSTD_decompress = library_.function("ZSTD_decompress");
  decltype(&::ZSTD_getErrorName) ZSTD_getErrorName = library_.function("ZSTD_getErrorName");
  decltype(&::ZSTD_isError) ZSTD_isError = library_.function("ZSTD_isError");
};

// Loads libzstd when it is first called, and throws as its constructor does, each time that it
// can't. Any thread may call it.
[[nodiscard]] const Libzstd& libzstd();

}  // namespace photon_dmesg
