#include "base/liblzma.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Liblzma::Liblzma() : library_(PHOTON_DMESG_LIBLZMA) {}

const Liblzma& liblzma() {
  static const Liblzma library;
  return library;
}

}  // namespace photon_dmesg
