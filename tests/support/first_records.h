#pragma once

#include <cstddef>

#include "kernel/printk/kernel_log.h"
#include "support/fixture_guest.h"

namespace photon_dmesg::test {

// What is wrong with the log of `guest` for who takes its first `most` records and no more.
inline KernelLog read_first_records(FixtureGuest& guest, std::size_t most) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  const GuestKernel kernel =
      GuestKernel::attach(running.value(), guest.vmlinux(), guest.diagnostics());
  std::size_t taken = 0;
  return KernelLogReader(kernel, guest.diagnostics()).read([&](const LogRecord&) {
    return ++taken < most;
  });
}

}  // namespace photon_dmesg::test
