#include "kernel/symbols/symbol_types.h"

#include "base/error.h"

namespace photon_dmesg {

const StructLayout* SymbolTypes::find_struct(std::string_view name) const {
  try {
    return symbols_.find_struct(name);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace photon_dmesg
