#pragma once

#include <lzma.h>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of liblzma that this program calls, under their own names. The program is not
// linked with liblzma: a call that goes past this table does not link.
class Liblzma {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Liblzma();

  decltype(&::lzma_alone_decoder) lzma_alone_decoder = library_.function("lzma_alone_decoder");
  decltype(&::lzma_code) lzma_code = library_.function("lzma_code");
  decltype(&::lzma_end) lzma_end = library_.function("lzma_end");
  decltype(&::lzma_stream_decoder) lzma_stream_decoder = library_.function("lzma_stream_decoder");
};

// Loads liblzma when it is first called, and throws as its constructor does, each time that it
// can't. Any thread may call it.
[[nodiscard]] const Liblzma& liblzma();

}  // namespace photon_dmesg
