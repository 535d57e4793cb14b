#pragma once

#include <string_view>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// Who wrote a record, as systemd's journal tells it.
struct Identifier {
  std::string_view name;     // "kernel", or what a program called itself; may be empty
  std::string_view pid;      // of "name[pid]: "; may be empty
  std::string_view message;  // without the two
};

// The kernel's own records are the kernel's; of others the text may begin with "name: " or
// "name[pid]: ". Refers to `record`.
[[nodiscard]] Identifier parse_identifier(const LogRecord& record);

}  // namespace photon_dmesg
