#pragma once

namespace photon_dmesg {

// Does what the command line asks for. Returns the exit status; what went wrong has been said on
// stderr.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace photon_dmesg
