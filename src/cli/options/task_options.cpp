#include "cli/options/task_options.h"

#include "cli/options/option_checks.h"

namespace photon_dmesg {
namespace {

constexpr const char* group = "Which tasks";

void add_selection(CLI::App& command, TaskOptions& options) {
  command.add_flag("--blocked", options.blocked, "Only tasks in state D")->group(group);
  command.add_option("--pid", options.pids, "Only this process or thread; may be several")
      ->type_name("N")
      ->transform(whole_number())
      ->group(group)
      ->allow_extra_args(false);
  command
      .add_option(
          "--comm", options.comms,
          "Only tasks of this name, in which * and ? stand for\nany letters; may be several")
      ->type_name("NAME")
      ->group(group)
      ->allow_extra_args(false);
  command.add_option("--cpu", options.cpus, "Only what is on this CPU; may be several")
      ->type_name("N")
      ->transform(whole_number())
      ->group(group)
      ->allow_extra_args(false);
}

void add_ndjson(CLI::App& command, TaskOptions& options) {
  command.add_flag("--ndjson", options.ndjson, "Print a line of JSON for each of them")
      ->excludes(command.get_option("--json"));
}

}  // namespace

void add_bt_options(CLI::App& command, TaskOptions& options) {
  command.add_flag("-a,--all", options.all, "Every task, beside the vCPUs")->group(group);
  add_selection(command, options);
  command.add_flag("!--no-fold", options.fold, "Each task by itself, also with the same trace");
  command.add_flag("--lines", options.lines,
                   "File and line of each frame, and what is inlined\nthere, by a vmlinux");
  add_ndjson(command, options);
}

void add_ps_options(CLI::App& command, TaskOptions& options) {
  add_selection(command, options);
  command
      .add_option("--sort", options.sort, "pid, time (the longest wait first), state, cpu or comm")
      ->type_name("BY")
      ->check(one_of(task_orders));
  command.add_flag("--tree", options.tree, "Children below their parents");
  add_ndjson(command, options);
}

}  // namespace photon_dmesg
