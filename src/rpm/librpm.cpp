#include "rpm/librpm.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with. libgcrypt, which it may have its digests
// from, takes no second thread until it is ready: so that is done here, where the first one alone
// is.
Librpm::Librpm() : library_(PHOTON_DMESG_LIBRPM) {
  rpmInitCrypto();
}

const Librpm& librpm() {
  static const Librpm library;
  return library;
}

}  // namespace photon_dmesg
