#pragma once

#include <memory>

#include "base/diagnostics.h"
#include "kernel/symbols/btf.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// The types that a kernel itself carries (.BTF), for one without DWARF. Null if it has none that
// can be read, which is a warning if it has any.
[[nodiscard]] std::unique_ptr<Btf> read_elf_btf(const ElfImage& image, Diagnostics& diagnostics);

}  // namespace photon_dmesg
