#include "report/core/gdb_files.h"

#include <fmt/format.h>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

constexpr std::string_view gdbinit_mark = "# Written by photon-dmesg core: ";

// Trusts the one file that loads the core. All of the folder would be too much: gdb runs what a
// vmlinux holds in .debug_gdb_scripts, and what lies beside it as vmlinux-gdb.py.
constexpr std::string_view start_gdb = "gdb -iex \"add-auto-load-safe-path ./.gdbinit\"";

// `text` as one word of a shell's command line, or as near as it can be shown.
std::string shell_word(const std::string& text) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%";
  if (text.find_first_not_of(plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return printable(word + "'");
}

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
      "# gdb reads this only if it is told to: {}\n",
      gdbinit_mark, session.release, start_gdb);
  if (session.vmlinux) {
    // symbol-file, and not file: the guest's code and data are in the core, not in vmlinux.
    text += fmt::format("symbol-file {} -o {:#x}\n", *session.vmlinux, session.kaslr_offset);
  } else {
    text += fmt::format("# With the guest's vmlinux: symbol-file vmlinux -o {:#x}\n",
                        session.kaslr_offset);
  }
  text += fmt::format("core-file {}\nsource photon.gdb\n", session.core);
  if (session.thread) text += fmt::format("thread {}\n", *session.thread);
  return text;
}

std::string describe_core_folder(const std::string& folder, const std::string& core,
                                 bool has_vmlinux) {
  return fmt::format(
      "{0}: the guest, for debuggers\n"
      "  cd {1} && {2}    then: bt, info threads, dmesg, ps, btt\n"
      "  drgn -c {4} -s {3}\n"
      "  crash {3} {4}    then: log, bt -a, ps\n",
      printable(folder), shell_word(folder), start_gdb,
      has_vmlinux ? shell_word(folder + "/vmlinux") : "VMLINUX", shell_word(folder + "/" + core));
}

}  // namespace photon_dmesg
