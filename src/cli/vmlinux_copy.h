#pragma once

#include "base/diagnostics.h"
#include "base/output_file.h"
#include "cli/inputs.h"
#include "cli/symbol_sources.h"

namespace photon_dmesg {

// Writes the vmlinux that `source` names, found among `inputs`, to `target`: a copy of the file, or
// out of its package, whose digest of it is checked. Throws Error(UnusableInput) when the package
// is damaged, Error(Incomplete) when `target` can't be written.
void copy_vmlinux(const Inputs& inputs, const SymbolSource& source, OutputFile& target,
                  Diagnostics& diagnostics);

}  // namespace photon_dmesg
