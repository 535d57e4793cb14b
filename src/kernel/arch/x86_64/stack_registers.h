#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"

namespace photon_dmesg {

// Decides which of two registers is rsp, for all vCPUs whose format leaves it open
// (Vcpu::stack_registers_in_doubt) at once: a file has one order. By what any vCPU shows, the most
// certain first: one of the values can be no stack pointer; both lie in one stack, of which the
// lower one is in use; one lies in a task's stack; one is not mapped. If the format's one known
// reader has it wrong, the two are swapped in each vCPU, with a note. If nothing shows it, or vCPUs
// contradict each other, all stays as that reader has it, and in doubt.
void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                            Diagnostics& diagnostics);

}  // namespace photon_dmesg
