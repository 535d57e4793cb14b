#include "kernel/health/reading.h"

namespace photon_dmesg {

std::optional<Reading> read_variable(const GuestKernel& kernel, std::string_view symbol,
                                     std::size_t width) {
  const auto address = kernel.find_address(symbol);
  const auto value = address ? kernel.memory().read_unsigned(*address, width) : std::nullopt;
  if (!value) return std::nullopt;
  return Reading{std::string(symbol), *address, *value};
}

}  // namespace photon_dmesg
