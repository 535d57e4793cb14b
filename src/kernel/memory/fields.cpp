#include "kernel/memory/fields.h"

#include <array>

#include "base/little_endian.h"
#include "kernel/memory/bit_field.h"

namespace photon_dmesg {
namespace {

std::uint64_t bits_of(std::uint64_t value, const Field& field) {
  return take_bits(value, field.bit_shift, field.bit_width);
}

bool is_number(const Field& field) {
  return field.size <= sizeof(std::uint64_t);
}

}  // namespace

std::optional<std::uint64_t> read_number(const KernelMemory& memory, GuestVirtual object,
                                         const Field& field) {
  if (!is_number(field)) return std::nullopt;
  const auto value = memory.read_unsigned(object + field.offset, field.size);
  return value ? std::optional(bits_of(*value, field)) : std::nullopt;
}

std::optional<std::uint64_t> read_number(const KernelMemory& memory, GuestVirtual object,
                                         const std::optional<Field>& field) {
  return field ? read_number(memory, object, *field) : std::nullopt;
}

std::optional<GuestVirtual> read_pointer(const KernelMemory& memory, GuestVirtual place) {
  const auto value = memory.read_unsigned(place, sizeof(std::uint64_t));
  if (!value || *value == 0) return std::nullopt;
  return GuestVirtual{*value};
}

std::optional<GuestVirtual> read_pointer(const KernelMemory& memory, GuestVirtual object,
                                         const std::optional<Field>& field) {
  return field ? read_pointer(memory, object + field->offset) : std::nullopt;
}

std::optional<std::string> read_text(const KernelMemory& memory, GuestVirtual object,
                                     const std::optional<Field>& field) {
  if (!field) return std::nullopt;
  return memory.read_text(object + field->offset, field->size);
}

std::optional<std::uint64_t> number_in(std::span<const std::byte> bytes,
                                       const std::optional<Field>& field) {
  if (!field || !is_number(*field)) return std::nullopt;
  if (field->offset > bytes.size() || field->size > bytes.size() - field->offset) {
    return std::nullopt;
  }
  return bits_of(load_unsigned(bytes.subspan(field->offset, field->size)), *field);
}

}  // namespace photon_dmesg
