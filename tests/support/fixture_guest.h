#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/log_record.h"
#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/fake_memory.h"

namespace photon_dmesg::test {

// A log as a whole.
struct CollectedLog : KernelLog {
  std::vector<LogRecord> records;
  LogPositions positions;
};

// A guest in memory that runs a fixture kernel (tests/kernel/fixtures): its image loaded and mapped
// under KASLR, one vCPU in it. Tests write into the kernel's variables and then read its log.
class FixtureGuest {
 public:
  // `vmlinux`: a fixture's file.
  explicit FixtureGuest(const std::filesystem::path& vmlinux);

  // Guest-physical address of the kernel's `symbol`.
  [[nodiscard]] GuestPhysical at(std::string_view symbol) const;
  // Run-time virtual address of `symbol`.
  [[nodiscard]] GuestVirtual address(std::string_view symbol) const;

  template <typename Value>
  void set(std::string_view symbol, const Value& value) {
    memory_->write_value(at(symbol), value);
  }

  [[nodiscard]] FakeMemory& memory() { return *memory_; }
  [[nodiscard]] Vcpu& vcpu() { return vcpu_; }
  [[nodiscard]] const Vmlinux& vmlinux() const { return *vmlinux_; }
  [[nodiscard]] CollectedDiagnostics& diagnostics() { return diagnostics_; }

  // Finds the kernel by its vCPU and reads the log, as the program does.
  [[nodiscard]] CollectedLog read_log() { return read_log(*vmlinux_); }
  // The same with other symbols than those of the fixture's own vmlinux.
  [[nodiscard]] CollectedLog read_log(const KernelSymbols& symbols);

  static constexpr std::uint64_t kaslr_offset = 0x1a000000;
  static constexpr GuestPhysical load_address{0x3000000};

 private:
  void load_image(const std::filesystem::path& path);
  void map_image();

  std::unique_ptr<FakeMemory> memory_;
  std::unique_ptr<Vmlinux> vmlinux_;
  CollectedDiagnostics diagnostics_;
  Vcpu vcpu_;
};

}  // namespace photon_dmesg::test
