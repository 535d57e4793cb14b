#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {

// Of the version whose headers this was compiled with.
Elfutils::Elfutils() : library_(PHOTON_DMESG_LIBDW) {}

}  // namespace photon_dmesg
