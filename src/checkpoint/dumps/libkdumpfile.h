#pragma once

#include <libkdumpfile/kdumpfile.h>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of libkdumpfile that this program calls, under their own names. The program is not
// linked with libkdumpfile: a call that goes past this table does not link.
class Libkdumpfile {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Libkdumpfile();

  decltype(&::kdump_bmp_find_clear) kdump_bmp_find_clear =
      library_.function("kdump_bmp_find_clear");
  decltype(&::kdump_bmp_find_set) kdump_bmp_find_set = library_.function("kdump_bmp_find_set");
  decltype(&::kdump_get_err) kdump_get_err = library_.function("kdump_get_err");
  decltype(&::kdump_get_typed_attr) kdump_get_typed_attr =
      library_.function("kdump_get_typed_attr");
  decltype(&::kdump_new) kdump_new = library_.function("kdump_new");
  decltype(&::kdump_open_fdset) kdump_open_fdset = library_.function("kdump_open_fdset");
  decltype(&::kdump_read) kdump_read = library_.function("kdump_read");
};

// Loads libkdumpfile when it is first called, and throws as its constructor does, each time that it
// can't. Any thread may call it.
[[nodiscard]] const Libkdumpfile& libkdumpfile();

}  // namespace photon_dmesg
