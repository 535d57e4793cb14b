#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "cli/io/output_target.h"
#include "cli/options/options.h"

// What outputs never do: take the place of evidence, or of any file that looks like a virtual
// machine's, an input or an archive. Each function throws Error(Usage) that names the file.
namespace photon_dmesg {

// Refuses to replace the file that messages call `named`, for `reason`.
[[noreturn]] void refuse_to_replace(const std::filesystem::path& named, std::string_view reason);

// The bytes that the file at `path` is recognised by; fewer if it has no more. It does not become
// an input by that. Refuses to replace a file that can't be read.
[[nodiscard]] std::vector<std::byte> beginning_of(const std::filesystem::path& path);

// Refuses a target which the options name to be read, or that has been read.
void check_no_input(const Options& options, const OutputTarget& target);

// Refuses names that files of virtual machines have.
void check_names(const OutputTarget& target);

// What a target may be all the same.
struct Exceptions {
  bool profile = false;            // a profile, in place of which another comes
  bool new_configuration = false;  // a .vmx where there is none
};

// Refuses a target by all of these rules, by what the file there holds, folders, disks,
// files by descriptors of other processes, and descriptors that are not open for writing.
void check_target(const Options& options, const OutputTarget& target, Exceptions exceptions);

}  // namespace photon_dmesg
