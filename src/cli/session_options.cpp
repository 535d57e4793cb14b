#include "cli/session_options.h"

namespace photon_dmesg {

session::Options session_options(const Options& options) {
  return {options.use_cache, options.verify_packages, options.strict, options.keys};
}

}  // namespace photon_dmesg
