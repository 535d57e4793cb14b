#include "base/error.h"

namespace photon_dmesg {

void Error::add_context(std::string_view context) {
  message_.insert(0, ": ");
  message_.insert(0, context);
}

Error unusable(std::string message) {
  return {Failure::UnusableInput, std::move(message)};
}

}  // namespace photon_dmesg
