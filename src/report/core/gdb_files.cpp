#include "report/core/gdb_files.h"

#include <fmt/format.h>

namespace photon_dmesg {
namespace {

constexpr std::string_view gdbinit_mark = "# Written by photon-dmesg core: ";

bool begins_with(const ByteSource& beginning, std::string_view mark) {
  std::string found(mark.size(), '\0');
  if (!beginning.contains(0, found.size())) return false;
  beginning.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == mark;
}

}  // namespace

bool is_gdb_macros(const ByteSource& beginning) {
  return begins_with(beginning, gdb_macros().substr(0, gdb_macros().find(':')));
}

bool is_written_gdbinit(const ByteSource& beginning) {
  return begins_with(beginning, gdbinit_mark);
}

std::string make_gdbinit(const GdbSession& session) {
  std::string text = fmt::format(
      "{}a guest that ran Linux {}.\n"
      "# gdb reads this only if it is told to: gdb -iex \"add-auto-load-safe-path .\"\n",
      gdbinit_mark, session.release);
  if (session.vmlinux) {
    // symbol-file, and not file: the guest's code and data are in the core, not in vmlinux.
    text += fmt::format("symbol-file {} -o {:#x}\n", *session.vmlinux, session.kaslr_offset);
  } else {
    text += fmt::format("# With the guest's vmlinux: symbol-file vmlinux -o {:#x}\n",
                        session.kaslr_offset);
  }
  return text + fmt::format("core-file {}\nsource photon.gdb\n", session.core);
}

std::string describe_core_folder(const std::string& folder, const std::string& core,
                                 bool has_vmlinux) {
  const std::string vmlinux = has_vmlinux ? "vmlinux" : "VMLINUX";
  return fmt::format(
      "{0}: the guest, for gdb and crash\n"
      "  cd {0} && gdb -iex \"add-auto-load-safe-path .\"    then: bt, info threads, dmesg, ps, "
      "btt\n"
      "  cd {0} && crash {1} {2}    then: log, bt -a, ps\n",
      folder, vmlinux, core);
}

}  // namespace photon_dmesg
