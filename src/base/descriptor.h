#pragma once

#include <string_view>

namespace photon_dmesg {

// Writes all of `bytes` to `descriptor`, and waits where whoever has the other end has said that
// nobody is to wait for it. Returns 0, or the errno with which it can't be written.
[[nodiscard]] int write_all(int descriptor, std::string_view bytes);

}  // namespace photon_dmesg
