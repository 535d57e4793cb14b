#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace photon_dmesg {

// One guest to be reported on: what somebody would name on the command line for it alone.
struct Ticket {
  // What its results are called: unique among the tickets of a run, and safe as a file's name.
  std::string name;
  // Its checkpoint or dump, its memory if that is named too, and what symbols come with it, in any
  // order.
  std::vector<std::filesystem::path> files;

  // What stands for it in messages and tables.
  [[nodiscard]] std::string shown() const { return files.front().string(); }
};

}  // namespace photon_dmesg
