#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/byte_source.h"

namespace photon_dmesg {

// A file that is neither of a stopped guest nor holds symbols, but that people hand over.
struct OtherFile {
  std::string_view what;    // "a boot image (vmlinuz)"
  std::string_view advice;  // what to give instead, or do with it
  bool is_of_vm = false;    // VMware keeps it beside a checkpoint: it is no mistake, and not needed
};

// What `file`, which lies at `path`, is, by its content and else by the name that VMware gives such
// files; nothing if it is none of these.
[[nodiscard]] std::optional<OtherFile> identify_other(const ByteSource& file,
                                                      const std::filesystem::path& path);

// The same by its content alone, and without texts, which are all alike but for the host's log of a
// VM.
[[nodiscard]] std::optional<OtherFile> identify_marked(const ByteSource& file);

// Whether the name of `path` ends in `ending`, in upper or lower case.
[[nodiscard]] bool has_ending(const std::filesystem::path& path, std::string_view ending);

}  // namespace photon_dmesg
