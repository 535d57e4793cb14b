#pragma once

#include <filesystem>

// Names that files have while they are written, for when a signal ends the process: destructors do
// not run then. Nothing here throws; what there is no room for is left behind by a signal.
namespace photon_dmesg::unfinished_files {

// `path` is to be removed by a signal that ends the process. To be called before the file is there.
void add(const std::filesystem::path& path);

// It is not any more: the file has its name, or is gone.
void forget(const std::filesystem::path& path);

// Has SIGINT, SIGTERM and SIGHUP remove these files before they end the process as they would have
// without this. What the process was started to ignore, as nohup(1) has it, it goes on to ignore.
// Processes that are forked afterwards leave the files alone.
void remove_at_signals();

}  // namespace photon_dmesg::unfinished_files
