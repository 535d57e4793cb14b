#include "kernel/printk/kernel_log.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/errors.h"
#include "support/open_vmlinux.h"

namespace photon_dmesg::test {

TEST_CASE("require_log: symbols by which no log can be found are refused") {
  const auto types = open_vmlinux(TYPES_DWARF5_KERNEL);
  check_fails(Failure::UnusableInput, "so no log can be found by it", [&] { require_log(*types); });
  require_log(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
}

}  // namespace photon_dmesg::test
