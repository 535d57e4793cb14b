#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/symbols/kallsyms_table.h"

namespace photon_dmesg {

// The table that the kernel of `image` carries for /proc/kallsyms (CONFIG_KALLSYMS), at run-time
// addresses: functions, and with CONFIG_KALLSYMS_ALL every variable. It refers to what `image`
// keeps. Nothing if there is none that makes sense.
[[nodiscard]] std::optional<KallsymsTable> find_kallsyms(const KernelImage& image,
                                                         Diagnostics& diagnostics);

// How a kernel's symbols stand to its own table.
struct KallsymsComparison {
  std::size_t equal = 0;  // symbols that both have at one address
  // The first that both have, each at another.
  struct Difference {
    std::string name;
    GuestVirtual address;  // at run time, by the symbols
  };
  std::optional<Difference> difference;
};

// Holds every symbol of `kernel` that its own table should have against that: of another build,
// whatever stands behind the first change lies elsewhere. Nothing if no table is found.
[[nodiscard]] std::optional<KallsymsComparison> compare_with_kallsyms(const GuestKernel& kernel,
                                                                      Diagnostics& diagnostics);

}  // namespace photon_dmesg
