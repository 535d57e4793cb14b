#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

// What CLI11 does not check of a command line, or says badly.
namespace photon_dmesg {

// Takes decimal numbers up to `most`; `what` is what such a one is, "a number of records".
[[nodiscard]] CLI::Validator whole_number(
    const std::string& what, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

// Takes one of `names`, which must outlive the validator.
[[nodiscard]] CLI::Validator one_of(const std::vector<std::string>& names);

// Makes an empty value of any of the command's options and files a usage error. To be called when
// all have been added.
void refuse_empty_values(CLI::App& command);

// The same for "--option=", behind which CLI11 would take the next argument for the value. Throws
// CLI::ValidationError.
void refuse_empty_values(const std::vector<std::string>& arguments,
                         const std::vector<CLI::App*>& commands);

// What to say of arguments that are no options of `command`, with the option that may be meant.
[[nodiscard]] std::string describe_unknown(const CLI::App& command,
                                           const std::vector<std::string>& unknown);

// The command of `app` that may be meant by `file`, which is none; nothing if none may.
[[nodiscard]] std::optional<std::string> meant_command(const CLI::App& app,
                                                       const std::string& file);

}  // namespace photon_dmesg
