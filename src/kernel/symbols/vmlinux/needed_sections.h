#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// What a kernel's log and tasks need of its vmlinux, as two small ELF files.
struct NeededSections {
  std::vector<std::byte> image;  // symbols, notes, and the banners at their addresses
  std::vector<std::byte> units;  // the compile units of types_of_use.h, printk's first
  GuestVirtual printk_function;  // by kallsyms: the symbols must agree
};

// Takes these out of a vmlinux that comes as a stream, and stops reading when it has them.
//
// An ELF file tells only at its end where its sections lie, and behind what is needed a kernel that
// can be relocated (KASLR) carries as much again in relocations. But every vmlinux is linked by
// Linux's own linker script (include/asm-generic/vmlinux.lds.h, DWARF_DEBUG), which puts sections
// in one order, and most of them tell their own length: so they are recognised as they come by,
// each by the one before it. Which compile units are wanted, the kernel's own kallsyms say, which
// come first. What is found is proved where it can be: the symbol table must agree with kallsyms.
//
// Nothing, and `why` says what was expected, when the file is made differently or is damaged: then
// all of it must be read.
[[nodiscard]] std::optional<NeededSections> read_needed_sections(ByteStream& stream,
                                                                 std::string& why);

}  // namespace photon_dmesg
