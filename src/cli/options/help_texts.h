#pragma once

#include <string>

// What --help says beside the options.
namespace photon_dmesg::help {

inline constexpr const char* description =
    "Prints the kernel log of a suspended Photon OS virtual machine.\n\n"
    "FILE... are, in any order and told apart by content:\n"
    "  where the kernel's symbols come from: ISOs with the guest's kernel or its debuginfo\n"
    "    package, such packages (.rpm), or folders with them, as a mounted ISO is; an ISO or\n"
    "    package may come through a pipe (-: stdin);\n"
    "    or a vmlinux with debug information, a System.map, or a profile that photon-dmesg\n"
    "    profile has written;\n"
    "    without any, they are looked for in the guest's memory\n"
    "  the checkpoint: .vmss (suspended) or .vmsn (snapshot), also debug.guest\n"
    "  its memory: .vmem; without it the one beside the checkpoint is used, unless the\n"
    "    checkpoint holds the memory itself\n"
    "  instead of the last two: an ELF core, kdump file, LiME image or memory alone\n\n"
    "photon-dmesg triage says what is wrong with the guest;\n"
    "photon-dmesg bt says what CPUs and tasks were doing, photon-dmesg ps lists the tasks,\n"
    "photon-dmesg info says what files hold, photon-dmesg core makes a core for debuggers.";

inline constexpr const char* profile_description =
    "Writes a kernel's profile: its symbols and types in one file, which replaces the ISO.\n"
    "Name a checkpoint for the kernel it runs, or an ISO and --release, or one package, vmlinux\n"
    "or System.map.";

inline constexpr const char* core_description =
    "Writes a folder for debuggers: vmss.core (registers and memory of the guest), vmlinux if\n"
    "an ISO, package or vmlinux with it is among FILE..., gdb's macros and a .gdbinit.";

inline constexpr const char* info_description =
    "Says what files hold: the checkpoint's kind, product, groups and vCPUs, where its memory "
    "lies,\n"
    "the guest's kernel and how long it was up. Can take its screenshot and configuration out.";

inline constexpr const char* bt_description =
    "Prints what every vCPU was doing when the guest stopped, and what each task waits in: which\n"
    "function had called which, as the kernel's own traces have it.";

inline constexpr const char* ps_description =
    "Lists the guest's tasks: every thread with its state, its CPU and how long ago it ran.";

inline constexpr const char* triage_description =
    "Says what is wrong with the guest, since when, and what tells so: a panic, a deadlock, a CPU\n"
    "that is stuck, storage that does not answer... or that nothing wrong was found.";

inline constexpr const char* redact =
    "Names of hosts and users, addresses, serial numbers and\n"
    "secrets as placeholders: <host-1>, <ip-2>";

// What exit status 1 means.
inline constexpr const char* log_is_incomplete =
    "it was printed, but is incomplete, without the times asked for, or read without an\n"
    "     input that was named; the warnings say so, or why the output could not be written";
inline constexpr const char* traces_are_incomplete =
    "they were printed, but some end early or are missing, or were found without an input\n"
    "     that was named; the warnings say so, or why the output could not be written";
inline constexpr const char* tasks_are_incomplete =
    "it was printed, but some tasks may be missing, or it was made without an input that was\n"
    "     named; the warnings say so, or why the output could not be written";
inline constexpr const char* facts_are_missing =
    "it was given, but something that it depends on could not be read; the warnings say so,\n"
    "     or why the output could not be written";
inline constexpr const char* status_of_findings = "\n 10  what --fail-on names was found";
inline constexpr const char* output_is_incomplete = "the output could not be written";
inline constexpr const char* input_is_missing =
    "it was, but without an input that was named; or the output could not be written";

// What becomes of the rest when the exit status is 3 or 4.
inline constexpr const char* nothing_is_printed = "";
inline constexpr const char* all_else_is_printed =
    "\n  With 3 and 4 what could be said all the same was printed, if the files could be read.";

// The exit statuses of a command, `complete` being what has been done with 0.
inline std::string statuses(const std::string& complete, const std::string& incomplete,
                            const std::string& rest = nothing_is_printed) {
  return "Exit status:\n"
         "  0  " +
         complete +
         "\n"
         "  1  " +
         incomplete +
         "\n"
         "  2  the command line makes no sense, or an output would take the place of an input or\n"
         "     of another file that is not to be lost\n"
         "  3  an input can't be used: unreadable, damaged, encrypted\n"
         "  4  the inputs don't belong together: another kernel, another machine's memory" +
         rest;
}

inline constexpr const char* examples =
    "\n\nExamples:\n"
    "  photon-dmesg photon.iso vm.vmss vm.vmem\n"
    "  photon-dmesg vm.vmss -H                         as dmesg -H: colors, pager\n"
    "  photon-dmesg vm.vmss -T -l err+ --tail 20       the last errors, by time of day\n"
    "  photon-dmesg vm.vmss --since \"10 min ago\" --time-format suspend\n"
    "  photon-dmesg vm.vmss --grep \"blocked for more\" -A 30\n"
    "  photon-dmesg vm.vmss --format ndjson -o vm.ndjson\n"
    "  photon-dmesg vm.vmss --format kmsg | dmesg -K /dev/stdin -T";

}  // namespace photon_dmesg::help
