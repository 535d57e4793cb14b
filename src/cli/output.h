#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>

#include "cli/options/options.h"

namespace photon_dmesg {

using Write = std::function<void(std::ostream&)>;

// Refuses every file that the options name to be written if that would harm what is there (see
// output_guard.h), and one file for two outputs. To be asked before anything is read or written.
// Throws Error(Usage).
void check_output(const Options& options);

// Refuses a stdout that is a file which has been read, or has a name that files of virtual machines
// have: for what is said there of other outputs. Throws Error(Usage).
void check_standard_output(const Options& options);

// The same of stderr, to which the shell may append what is said (`2>> vm.vmem`). Nothing is said
// there then, not even why: messages go to stdout if that is a terminal, else nowhere. To be asked
// before anything is said. Throws Error(Usage).
void check_messages(const Options& options);

// Makes `folder`, and those that it is to be in, unless they are there. Throws Error(Incomplete).
void make_folder(const std::filesystem::path& folder);

// Has `write` write to where the options say. A file appears under its name when it is whole; a
// device or a pipe gets what is written as it comes, as stdout does, and so does a file that is
// open already, such as /dev/stdout. Who reads stdout may stop doing so: then `write` is ended and
// this returns as if it had come to its end. Throws Error(Incomplete) when something can't be
// written, Error(Usage) when a file would be harmed: by now all that was read is known.
void write_output(const Options& options, const Write& write);

// Writes `content` in the same way to `named`, which options.screenshot or options.configuration
// is. Only its owner can read a new file.
void write_extract(const Options& options, const std::filesystem::path& named,
                   std::span<const std::byte> content);

}  // namespace photon_dmesg
