#include "kernel/symbols/symbol_store_format.h"

#include <fmt/format.h>

#include <span>
#include <string>

#include "base/checksum.h"
#include "kernel/symbols/types_of_use.h"

namespace photon_dmesg::symbol_store {

std::uint64_t schema() {
  std::string text = fmt::format("{}\n", version);
  for (const TypeOfUse& type : types_of_use()) {
    text += fmt::format("{} {} {}\n", type.name, type.symbol, type.instead_of);
  }
  return checksum(std::as_bytes(std::span(text)));
}

}  // namespace photon_dmesg::symbol_store
