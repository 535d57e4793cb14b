#include "base/libzstd.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Libzstd::Libzstd() : library_(PHOTON_DMESG_LIBZSTD) {}

const Libzstd& libzstd() {
  static const Libzstd library;
  return library;
}

}  // namespace photon_dmesg
