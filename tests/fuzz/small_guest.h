#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/targets.h"
#include "kernel/find/running_kernel.h"
#include "kernel/symbols/kernel_symbols.h"
#include "support/fake_memory.h"

namespace photon_dmesg::fuzz {

// A guest in a few pages: all of its kernel's image is given, and lies where it is linked. Its page
// tables map the image, and all RAM at its place in the direct map with zeros behind it. Small,
// because thousands of them are to be made in a second; with fixed places, so that the same bytes
// mean the same whatever compiler made the tests.
class SmallGuest {
 public:
  // `content`: what the image begins with; the rest of its pages is zeros.
  explicit SmallGuest(Bytes content);

  // Where a variable of its kernel's stands; one that log readers, the clock or the search for a
  // kernel ask for.
  [[nodiscard]] GuestPhysical at(std::string_view symbol) const;
  [[nodiscard]] GuestVirtual address(std::string_view symbol) const;
  template <typename Value>
  void set(std::string_view symbol, const Value& value) {
    memory_.write_value(at(symbol), value);
  }

  [[nodiscard]] test::FakeMemory& memory() { return memory_; }
  [[nodiscard]] Vcpu vcpu() const;

  // Its kernel as if its banner had been found, whatever the image holds.
  [[nodiscard]] RunningKernel running() const;

  // The image's bytes, without the zeros that they end with.
  [[nodiscard]] std::string content() const;

  static constexpr GuestPhysical image_place{0x9000};
  // Of Linux 6.1.10-1.ph5.
  static constexpr std::string_view banner =
      "Linux version 6.1.10-1.ph5 (root@photon) (gcc 12) #1-photon SMP Thu Jun 9 21:51:19 UTC "
      "2016\n";

 private:
  test::FakeMemory memory_;
  std::uint64_t image_bytes_;
};

// Its kernel's symbols, and layouts as some kernel or other has them.
class SmallSymbols final : public KernelSymbols {
 public:
  // Which symbols and types there are.
  struct Known {
    bool ring = false;           // the log is a printk_ringbuffer, or else records of printk_log
    bool types = false;          // layouts, or else they are to be told from the memory
    bool sequence = false;       // numbers of the first and next record, of printk_log
    bool static_buffer = false;  // the one of early boot
    bool unlogged = false;       // printk's other buffers
    bool console_seq = false;    // or else a list of consoles
    bool timekeeper = false;
    unsigned variant = 0;  // of layouts
  };
  explicit SmallSymbols(const Known& known);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] bool is_of_guest_itself() const override { return true; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string name_ = "symbols";
  Known known_;
};

}  // namespace photon_dmesg::fuzz
