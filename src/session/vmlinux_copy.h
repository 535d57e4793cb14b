#pragma once

#include "base/diagnostics.h"
#include "base/output_file.h"
#include "session/package_use.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// Writes the vmlinux that `source` names to `target`: a copy of the file, or out of its package,
// which is verified. Throws Error(UnusableInput) when the package is damaged, Error(Incomplete)
// when `target` can't be written.
void copy_vmlinux(const SymbolSource& source, const PackageUse& use, OutputFile& target,
                  Diagnostics& diagnostics);

}  // namespace photon_dmesg
