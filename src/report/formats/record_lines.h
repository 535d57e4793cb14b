#pragma once

#include <string>
#include <vector>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// A record as dmesg prints it, each of its lines printable: "[    8.936664] text", further ones
// indented below it. What is wrong with it stands behind it: "(text lost)".
[[nodiscard]] std::vector<std::string> record_lines(const LogRecord& record);

}  // namespace photon_dmesg
