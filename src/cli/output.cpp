#include "cli/output.h"

#include <fmt/format.h>

#include <fstream>
#include <iostream>

#include "base/error.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

Error incomplete(std::string message) {
  return {Failure::Incomplete, std::move(message)};
}

}  // namespace

void check_no_input(const Options& options, const fs::path& target) {
  for (const fs::path& input : options.files) {
    std::error_code ignored;
    if (fs::equivalent(input, target, ignored)) {
      throw Error(
          Failure::Usage,
          fmt::format("{}: this is one of the inputs, and would be overwritten", target.string()));
    }
  }
}

void check_output(const Options& options) {
  for (const auto& output : {options.output, options.screenshot, options.configuration}) {
    if (output) check_no_input(options, *output);
  }
}

void write_output(const Options& options, const std::function<void(std::ostream&)>& write) {
  if (!options.output) {
    write(std::cout);
    std::cout.flush();
    if (!std::cout) {
      throw incomplete("the output can't be written: is the disk full?");
    }
    return;
  }
  std::ofstream file(*options.output, std::ios::binary);
  if (!file) {
    throw incomplete(fmt::format("{}: can't be written", options.output->string()));
  }
  write(file);
  file.close();
  if (!file) {
    std::error_code ignored;
    if (fs::is_regular_file(*options.output, ignored)) fs::remove(*options.output, ignored);
    throw incomplete(
        fmt::format("{}: can't be written: is the disk full?", options.output->string()));
  }
}

}  // namespace photon_dmesg
