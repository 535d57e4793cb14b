#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "report/output_format.h"

namespace photon_dmesg {

// What the program is asked for.
enum class Command {
  Log,      // print the guest's log
  Profile,  // write a kernel's profile
  Core,     // write a folder for gdb and crash
  Info,     // say what the files hold
};

// The command line, taken apart.
struct Options {
  Command command = Command::Log;
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> output;  // absent: stdout; Core: the folder
  const OutputFormat* format = &output_formats.front();
  Diagnostics::Level verbosity = Diagnostics::Level::Normal;
  TimeFormat time_format = TimeFormat::SinceBoot;
  bool since_clear = false;  // only records since the guest's last dmesg -C
  bool use_cache = true;
  bool cleared = false;                                // only records before it
  bool unprinted = false;                              // only records that no console has printed
  bool verify_packages = true;                         // refuse packages that are damaged
  std::vector<std::filesystem::path> keys;             // public keys of packages' signatures
  std::optional<std::string> release;                  // Profile: which kernel of an ISO
  bool json = false;                                   // Info: JSON instead of text
  bool tags = false;                                   // Info: list every tag
  std::optional<std::filesystem::path> screenshot;     // Info: where to write it
  std::optional<std::filesystem::path> configuration;  // Info: where to write it
};

// Parses the arguments. Nothing if --help or --version has been answered. Throws Error(Usage) when
// they make no sense.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv);

}  // namespace photon_dmesg
