#include "kernel/arch/architecture.h"

#include "kernel/arch/x86_64/x86_64.h"

namespace photon_dmesg {

const Architecture& architecture_of(Machine machine) {
  switch (machine) {
    case Machine::X86_64:
      break;
  }
  return x86_64::architecture();
}

}  // namespace photon_dmesg
