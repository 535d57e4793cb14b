#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/kernel_types.h"

// Members of the kernel's structures, read by where KernelTypes says that they lie.
namespace photon_dmesg {

// The number in `field` of the structure at `object`, zero-extended; nothing if it can't be read,
// is longer than 8 bytes, or if no source knew the field.
[[nodiscard]] std::optional<std::uint64_t> read_number(const KernelMemory& memory,
                                                       GuestVirtual object, const Field& field);
[[nodiscard]] std::optional<std::uint64_t> read_number(const KernelMemory& memory,
                                                       GuestVirtual object,
                                                       const std::optional<Field>& field);

// The same where `field` holds an address; nothing if it is null too.
[[nodiscard]] std::optional<GuestVirtual> read_pointer(const KernelMemory& memory,
                                                       GuestVirtual object,
                                                       const std::optional<Field>& field);
// The address that stands at `place`.
[[nodiscard]] std::optional<GuestVirtual> read_pointer(const KernelMemory& memory,
                                                       GuestVirtual place);

// The text in `field`, a char array, up to its NUL.
[[nodiscard]] std::optional<std::string> read_text(const KernelMemory& memory, GuestVirtual object,
                                                   const std::optional<Field>& field);

// The number in `field` of the structure whose beginning `bytes` are; nothing if they don't reach
// as far.
[[nodiscard]] std::optional<std::uint64_t> number_in(std::span<const std::byte> bytes,
                                                     const std::optional<Field>& field);

}  // namespace photon_dmesg
