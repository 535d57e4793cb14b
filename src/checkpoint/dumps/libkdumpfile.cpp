#include "checkpoint/dumps/libkdumpfile.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Libkdumpfile::Libkdumpfile() : library_(PHOTON_DMESG_LIBKDUMPFILE) {}

const Libkdumpfile& libkdumpfile() {
  static const Libkdumpfile library;
  return library;
}

}  // namespace photon_dmesg
