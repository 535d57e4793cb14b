#include "kernel/code/code_place.h"

#include <fmt/format.h>

namespace photon_dmesg {

std::string describe(const CodePlace& place) {
  std::string text = fmt::format("{}+{:#x}/{:#x}", place.symbol, place.offset, place.size);
  if (!place.module.empty()) text += fmt::format(" [{}]", place.module);
  return text;
}

}  // namespace photon_dmesg
