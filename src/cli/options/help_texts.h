#pragma once

#include <string>

// What --help says beside the options. No line is longer than 80 columns; the first line of a
// command's description is what the list of commands says of it, in 52.
namespace photon_dmesg::help {

inline constexpr const char* description =
    "Prints the kernel log of a suspended Photon OS virtual machine.\n\n"
    "FILE... may come in any order; files are told apart by their content:\n"
    "  - the kernel's symbols, from ISOs or packages (.rpm) with the guest's kernel\n"
    "    or its debuginfo, or from folders of packages, such as a mounted ISO. An ISO\n"
    "    or package may come through a pipe (- is stdin). Or from one vmlinux with\n"
    "    debug information, one vmlinuz, one System.map, or a file that photon-dmesg\n"
    "    profile has written. Without any they are looked for in the guest's memory.\n"
    "  - the checkpoint: .vmss (suspended) or .vmsn (snapshot), or debug.guest\n"
    "  - its memory: .vmem. If it is not named, the one beside the checkpoint is\n"
    "    used, unless the checkpoint holds the memory itself.\n"
    "  - instead of the last two: an ELF core, kdump file, LiME image or memory\n"
    "    alone; the machine's folder or .vmx; or a support bundle (.tgz, .tar.zst,\n"
    "    .zip, .7z), through which a path may lead: ticket.zip/web01";

inline constexpr const char* triage_description =
    "Says what is wrong with the guest.\n\n"
    "It names what is wrong, since when, and the evidence: a panic, a deadlock, a CPU\n"
    "that is stuck, storage that does not answer... or says that nothing wrong was\n"
    "found.";

inline constexpr const char* bt_description =
    "Prints what every CPU and task was doing.\n\n"
    "For each vCPU, and for each task that is asked for, it prints which function had\n"
    "called which, as the kernel's own traces do, and what the task waits for.";

inline constexpr const char* ps_description =
    "Lists the guest's tasks.\n\n"
    "Every thread is listed with its state, its CPU and how long ago it ran.";

inline constexpr const char* info_description =
    "Says what files hold.\n\n"
    "Of a checkpoint: its kind, product, groups and vCPUs, where its memory lies, the\n"
    "guest's kernel and how long it was up. Can also write the guest's last screen\n"
    "and its configuration to files.";

inline constexpr const char* core_description =
    "Writes a folder for drgn, gdb and crash.\n\n"
    "The folder holds vmss.core (the guest's registers and memory); vmlinux, if an\n"
    "ISO, package or vmlinux that has it is among FILE...; gdb macros and a .gdbinit.";

inline constexpr const char* profile_description =
    "Writes a kernel's symbols to one small file.\n\n"
    "The file, a profile, replaces the ISO from then on. Name a checkpoint for the\n"
    "kernel it runs, or an ISO and --release, or one package, vmlinux or System.map.";

inline constexpr const char* batch_description =
    "Reports on many guests at once.\n\n"
    "Each checkpoint, core or other dump, named or found in a folder or bundle, is a\n"
    "ticket. A VM is one, by its current checkpoint. For each there is a folder in\n"
    "DIR with its log, its triage and what became of it; summary.txt, .csv and\n"
    ".ndjson list all, the worst first. What is named before \"--\", and ISOs and\n"
    "packages wherever they are named, are symbols for all of them.";

inline constexpr const char* help_description =
    "Prints the help of a command.\n\n"
    "photon-dmesg help COMMAND is the same as photon-dmesg COMMAND --help.";

inline constexpr const char* redact =
    "Print placeholders (<host-1>, <ip-2>...) instead of\n"
    "names of hosts and users, addresses, serial numbers\n"
    "and secrets";

// What exit status 1 means.
inline constexpr const char* log_is_incomplete =
    "the log was printed, but it is incomplete, lacks the times asked for, or\n"
    "     was read without a file that was named: the warnings say which. Or the\n"
    "     output could not be written";
inline constexpr const char* traces_are_incomplete =
    "the traces were printed, but some end early or are missing, or were read\n"
    "     without a file that was named: the warnings say which. Or the output could\n"
    "     not be written";
inline constexpr const char* tasks_are_incomplete =
    "the list was printed, but tasks may be missing, or it was read without a\n"
    "     file that was named: the warnings say which. Or the output could not be\n"
    "     written";
inline constexpr const char* facts_are_missing =
    "the verdict was given, but something that it depends on could not be read:\n"
    "     the warnings say what. Or the output could not be written";
inline constexpr const char* status_of_findings = "\n 10  a finding that --fail-on names";
inline constexpr const char* tickets_are_incomplete =
    "the results were written, but some logs are incomplete or could not be\n"
    "     read: the summary says which";
inline constexpr const char* output_is_incomplete = "the output could not be written";
inline constexpr const char* input_is_missing =
    "it was done, but without a file that was named; or the output could not be\n"
    "     written";

// What becomes of the rest when the exit status is 3 or 4.
inline constexpr const char* nothing_is_printed = "";
inline constexpr const char* all_else_is_printed =
    "\n  With 3 and 4, what could be read is printed all the same.";

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
         "  2  the command line makes no sense, or an output would overwrite an input or\n"
         "     another file that must not be lost\n"
         "  3  a file can't be used: it is unreadable, damaged or encrypted\n"
         "  4  the files don't belong together: another kernel, another machine's memory" +
         rest;
}

// The levels as dmesg --help lists them.
inline constexpr const char* levels =
    "Levels, with their other spellings:\n"
    "   emerg - system is unusable\n"
    "   alert - action must be taken immediately\n"
    "    crit - critical conditions\n"
    "     err - error conditions (error)\n"
    "    warn - warning conditions (warning)\n"
    "  notice - normal but significant condition\n"
    "    info - informational\n"
    "   debug - debug-level messages\n\n"
    "Facilities: kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron,\n"
    "  authpriv, ftp, res0 to res3, local0 to local7\n\n";

inline constexpr const char* examples =
    "\n\nExamples:\n"
    "  photon-dmesg photon.iso vm.vmss vm.vmem\n"
    "  photon-dmesg vm.vmss -H                     as dmesg -H: colors and a pager\n"
    "  photon-dmesg vm.vmss -T -l err+ --tail 20   the last errors, by time of day\n"
    "  photon-dmesg vm.vmss --since \"10 min ago\" --time-format suspend\n"
    "  photon-dmesg vm.vmss --grep \"blocked for more\" -A 30\n"
    "  photon-dmesg vm.vmss --format ndjson -o vm.ndjson\n"
    "  photon-dmesg triage vm.vmss                 what is wrong with it";

inline constexpr const char* triage_examples =
    "\n\nExamples:\n"
    "  photon-dmesg triage vm.vmss\n"
    "  photon-dmesg triage photon.iso vm.vmss --format html -o ticket.html\n"
    "  photon-dmesg triage vm.vmss --fail-on panic,lockup\n"
    "  photon-dmesg triage --log dmesg.txt";

inline constexpr const char* bt_examples =
    "\n\nExamples:\n"
    "  photon-dmesg bt vm.vmss               every vCPU\n"
    "  photon-dmesg bt --blocked vm.vmss     every task in state D\n"
    "  photon-dmesg bt --pid 1 vm.vmss\n"
    "  photon-dmesg bt --comm \"kworker/*\" vm.vmss";

inline constexpr const char* ps_examples =
    "\n\nExamples:\n"
    "  photon-dmesg ps vm.vmss\n"
    "  photon-dmesg ps --sort time vm.vmss   what has not run for longest first\n"
    "  photon-dmesg ps --tree vm.vmss";

inline constexpr const char* info_examples =
    "\n\nExamples:\n"
    "  photon-dmesg info vm.vmss\n"
    "  photon-dmesg info vm.vmss --screenshot screen.png\n"
    "  photon-dmesg info photon.iso          the kernels that it holds";

inline constexpr const char* core_examples =
    "\n\nExamples:\n"
    "  photon-dmesg core photon.iso vm.vmss vm.vmem -o stuck";

inline constexpr const char* profile_examples =
    "\n\nExamples:\n"
    "  photon-dmesg profile photon.iso vm.vmss -o vm.symbols\n"
    "  photon-dmesg vm.symbols vm.vmss";

inline constexpr const char* batch_examples =
    "\n\nExamples:\n"
    "  photon-dmesg batch cases/ -o results\n"
    "  photon-dmesg batch photon.iso -- cases/ -o results --resume\n"
    "  photon-dmesg batch --list tickets.tsv --symbols isos/ --shard 1/4 -o part1\n"
    "  photon-dmesg batch --gather part1 part2 -o all";

}  // namespace photon_dmesg::help
