#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "checkpoint/vmware/tag_file.h"

namespace photon_dmesg {

// Every vCPU of the checkpoint with its registers, in either encoding (one tag a register, or
// blocks of registers). Registers for a vCPU that the file does not count, or with a register
// number that does not exist, are left out with a warning. Throws Error(UnusableInput) when the
// group is damaged or cut short; where completeness is not required, what was read until then
// serves, with a warning. A file without the group gives no vCPU. Of arm64's registers only those
// are taken that tell of page tables: nothing public names the others.
[[nodiscard]] std::vector<Vcpu> read_vcpus(const TagFile& file, Machine machine,
                                           Diagnostics& diagnostics,
                                           Completeness completeness = Completeness::Required);

}  // namespace photon_dmesg
