#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"

namespace photon_dmesg {

// The addresses in a table of kallsyms, read as they are asked for.
class KallsymsAddresses {
 public:
  // What an entry says.
  enum class Form {
    Absolute,  // the address, in 8 bytes; all others take 4
    Relative,  // how far above the base it is
    PerCpu,    // the same below zero (~offset), else the address itself (a per-CPU offset)
    OwnPlace,  // how far from the entry itself it is, with a sign
  };

  // Bytes of an entry.
  [[nodiscard]] static std::size_t width(Form form);

  KallsymsAddresses() = default;
  // `entries`, a whole number of them, stand at `place` in the guest; must outlive this.
  KallsymsAddresses(Form form, std::span<const std::byte> entries, GuestVirtual place,
                    std::uint64_t base)
      : form_(form), entries_(entries), place_(place), base_(base) {}

  // The address of the symbol `index`, which must be one of the table.
  [[nodiscard]] GuestVirtual operator[](std::size_t index) const;

  [[nodiscard]] std::span<const std::byte> entries() const { return entries_; }
  // The same addresses by `entries`, a copy of those it has.
  void move_to(std::span<const std::byte> entries) { entries_ = entries; }

 private:
  Form form_ = Form::Absolute;
  std::span<const std::byte> entries_;
  GuestVirtual place_;
  std::uint64_t base_ = 0;
};

}  // namespace photon_dmesg
