#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/printk/kernel_log.h"
#include "session/guest.h"
#include "session/options.h"
#include "session/symbol_pool.h"

namespace photon_dmesg {
class BundleTree;
}

// The pipeline as a library: from files to a guest. What it can be asked is in kernel/printk (its
// log), kernel/facts (what it says of itself), and in what is built on them.
namespace photon_dmesg::session {

// Opens a guest from `files` in any order: its checkpoint or dump, its memory if that is a file of
// its own, and what symbols are to be found in, or nothing: then the guest's memory must do. Told
// apart by content. Throws Error: Usage when the files don't make a guest, UnusableInput when one
// is damaged, Mismatch when they don't belong together. Nothing is written but the cache.
[[nodiscard]] Guest open(const std::vector<std::filesystem::path>& files, const Options& options,
                         Diagnostics& diagnostics);

// What several guests that are opened one after the other share; null: nothing.
struct Shared {
  std::shared_ptr<BundleTree> tree = nullptr;     // with what has been read of bundles
  std::shared_ptr<SymbolPool> symbols = nullptr;  // used behind those among a guest's own files
};

[[nodiscard]] Guest open(const std::vector<std::filesystem::path>& files, Shared shared,
                         const Options& options, Diagnostics& diagnostics);

// What has the symbols of many guests, for open(), from `files` with symbols or folders of such;
// null if there are none. Throws Error(Usage) for a file that is of a guest, Error(UnusableInput)
// for one that has no symbols.
[[nodiscard]] std::shared_ptr<SymbolPool> open_symbols(
    const std::vector<std::filesystem::path>& files, const Options& options,
    Diagnostics& diagnostics);

// The reader of `guest`'s log, which must outlive it. Where the log can't be read by the symbols
// that the guest was opened with, such as those of a vmlinux with damaged types, it is read by the
// guest's own, with a warning. Throws Error(UnusableInput) if the log can't be read at all.
[[nodiscard]] KernelLogReader open_log(Guest& guest, Diagnostics& diagnostics);

}  // namespace photon_dmesg::session
