#pragma once

#include "base/address.h"
#include "kernel/code/code_map.h"

namespace photon_dmesg {

// Whether `return_address` is that of code which the kernel has put in the place of the real one,
// to be told when a function returns: kretprobes, those of BPF programs too, and the function graph
// tracer (kernel/trace/rethook.c, kernel/trace/fgraph.c). The real one stands in the task's lists.
[[nodiscard]] bool is_return_hook(const CodeMap& code, GuestVirtual return_address);

}  // namespace photon_dmesg
