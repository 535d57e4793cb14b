#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "kernel/code/modules.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// The modules of a kernel that has neither the symbol `modules` nor types, as linux-esx: by their
// form. A struct module begins with its state, its place in the list of all and its name in every
// version (include/linux/module.h), and lies in the module's own memory; that its neighbours in the
// list name it proves it. In it is a struct mod_kallsyms (4.5 and later), proved by the symbols
// that it leads to. A module that is found so has code and symbols, and no variables' names and no
// ORC.
[[nodiscard]] std::vector<Module> find_modules_by_form(const GuestKernel& kernel,
                                                       Diagnostics& diagnostics);

}  // namespace photon_dmesg
