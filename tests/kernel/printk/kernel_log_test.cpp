#include "kernel/printk/kernel_log.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/errors.h"

namespace photon_dmesg::test {

TEST_CASE("require_log: symbols by which no log can be found are refused") {
  const auto types = Vmlinux::open(TYPES_DWARF5_KERNEL);
  check_fails(Failure::UnusableInput, "so no log can be found by it", [&] { require_log(*types); });
  require_log(*Vmlinux::open(PRINTK_RINGBUFFER_KERNEL));
}

}  // namespace photon_dmesg::test
