#pragma once

#include "cli/options/options.h"
#include "session/options.h"

namespace photon_dmesg {

// How a guest is opened, as the command line says.
[[nodiscard]] session::Options session_options(const Options& options);

}  // namespace photon_dmesg
