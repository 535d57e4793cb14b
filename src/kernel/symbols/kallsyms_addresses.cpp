#include "kernel/symbols/kallsyms_addresses.h"

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

// Written so that compilers see one load: places are found by looking through all addresses.
std::uint64_t load_u32(std::span<const std::byte, sizeof(std::uint32_t)> bytes) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

std::size_t KallsymsAddresses::width(Form form) {
  return form == Form::Absolute ? sizeof(std::uint64_t) : sizeof(std::int32_t);
}

GuestVirtual KallsymsAddresses::operator[](std::size_t index) const {
  const std::size_t at = index * width(form_);
  const std::span<const std::byte> bytes = entries_.subspan(at, width(form_));
  if (form_ == Form::Absolute) return {load_unsigned(bytes)};
  const std::uint64_t entry = load_u32(bytes.first<sizeof(std::uint32_t)>());
  const auto offset = static_cast<std::int32_t>(entry);
  const auto extended = static_cast<std::uint64_t>(std::int64_t{offset});
  switch (form_) {
    case Form::PerCpu:
      return {offset >= 0 ? extended : base_ - 1 - extended};
    case Form::OwnPlace:
      return place_ + at + extended;
    default:
      return {base_ + entry};
  }
}

}  // namespace photon_dmesg
