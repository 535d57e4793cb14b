#include "kernel/symbols/kallsyms_addresses.h"

#include "base/little_endian.h"

namespace photon_dmesg {

std::size_t KallsymsAddresses::width(Form form) {
  return form == Form::Absolute ? sizeof(std::uint64_t) : sizeof(std::int32_t);
}

GuestVirtual KallsymsAddresses::operator[](std::size_t index) const {
  const std::size_t at = index * width(form_);
  const std::uint64_t entry = load_unsigned(entries_.subspan(at, width(form_)));
  const auto offset = static_cast<std::int32_t>(entry);
  const auto extended = static_cast<std::uint64_t>(std::int64_t{offset});
  switch (form_) {
    case Form::Relative:
      return {base_ + entry};
    case Form::PerCpu:
      return {offset >= 0 ? extended : base_ - 1 - extended};
    case Form::OwnPlace:
      return place_ + at + extended;
    default:
      return {entry};
  }
}

}  // namespace photon_dmesg
