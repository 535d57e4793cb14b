#include "rpm/librpm.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Librpm::Librpm() : library_(PHOTON_DMESG_LIBRPM) {}

const Librpm& librpm() {
  static const Librpm library;
  return library;
}

}  // namespace photon_dmesg
