#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"

namespace photon_dmesg {

// Decides for each vCPU whose format leaves it open (Vcpu::stack_registers_in_doubt) which of its
// two registers is rsp. A vCPU in kernel mode has its stack mapped, 8-aligned: if what was read as
// rsp can't be it and the other one can, they are swapped, with a note. Anything else stays as the
// format's one known reader has it.
void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                            Diagnostics& diagnostics);

}  // namespace photon_dmesg
