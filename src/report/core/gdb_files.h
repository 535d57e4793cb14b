#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_source.h"

namespace photon_dmesg {

// share/gdbmacros/photon.gdb, which is a part of the program.
[[nodiscard]] std::string_view gdb_macros();

// Whether `beginning`, of a file, is that of these macros, of whatever version.
[[nodiscard]] bool is_gdb_macros(const ByteSource& beginning);

// What a .gdbinit loads.
struct GdbSession {
  std::string release;
  std::uint64_t kaslr_offset = 0;
  std::string core;                    // file names
  std::optional<std::string> vmlinux;  // absent: there is none
  // Which of the core's threads gdb is to begin with, counted from 1, such as that of the vCPU that
  // panicked; absent: the first.
  std::optional<std::size_t> thread{};
};

// Commands that load symbols at the guest's offset, its core and the macros.
[[nodiscard]] std::string make_gdbinit(const GdbSession& session);

// Whether `beginning`, of a file, is that of what make_gdbinit() makes.
[[nodiscard]] bool is_written_gdbinit(const ByteSource& beginning);

// What to tell a user who has such a folder: how to start gdb and crash so that they run nothing
// but what this program wrote. crash reads a .crashrc where it is started, so not in that folder.
[[nodiscard]] std::string describe_core_folder(const std::string& folder, const std::string& core,
                                               bool has_vmlinux);

}  // namespace photon_dmesg
