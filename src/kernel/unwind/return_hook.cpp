#include "kernel/unwind/return_hook.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace photon_dmesg {

bool is_return_hook(const CodeMap& code, GuestVirtual return_address) {
  constexpr std::array<std::string_view, 4> names = {"kretprobe_trampoline",     // until 5.10
                                                     "__kretprobe_trampoline",   // until 5.17
                                                     "arch_rethook_trampoline",  // since 5.18
                                                     "return_to_handler"};
  const auto place = code.place(return_address);
  return place && place->offset == 0 && place->module.empty() &&
         std::find(names.begin(), names.end(), place->symbol) != names.end();
}

}  // namespace photon_dmesg
