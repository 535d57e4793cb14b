#pragma once

#include <string_view>

namespace photon_dmesg {

// What stands around and between the logs of several guests in one output.
struct StreamFrame {
  std::string_view begin;
  std::string_view between;
  std::string_view end;
};

}  // namespace photon_dmesg
