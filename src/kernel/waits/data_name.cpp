#include "kernel/waits/data_name.h"

#include <fmt/format.h>

namespace photon_dmesg {

std::optional<std::string> name_of_data(const CodeMap& code, GuestVirtual address) {
  const auto place = code.place_of_data(address);
  if (!place) return std::nullopt;
  std::string name = place->symbol;
  if (place->offset != 0) name += fmt::format("+{:#x}", place->offset);
  if (!place->module.empty()) name += fmt::format(" [{}]", place->module);
  return name;
}

}  // namespace photon_dmesg
