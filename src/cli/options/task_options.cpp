#include "cli/options/task_options.h"

#include "cli/options/option_checks.h"

namespace photon_dmesg {
namespace {

constexpr const char* group = "Which tasks";
// The kernel's pids are int, of which none is negative; so is the number of its CPUs.
constexpr std::uint64_t most_tasks = std::numeric_limits<std::int32_t>::max();

void add_selection(CLI::App& command, TaskOptions& options) {
  command.add_flag("--blocked", options.blocked, "Only tasks in state D")->group(group);
  command.add_option("--pid", options.pids, "Only this process or thread; may be repeated")
      ->type_name("N")
      ->transform(whole_number("the number of a process or thread", most_tasks))
      ->group(group)
      ->allow_extra_args(false);
  command
      .add_option(
          "--comm", options.comms,
          "Only tasks of this name; * and ? match any letters,\nas in the shell; may be repeated")
      ->type_name("NAME")
      ->group(group)
      ->allow_extra_args(false);
  command.add_option("--cpu", options.cpus, "Only tasks on this CPU; may be repeated")
      ->type_name("N")
      ->transform(whole_number("the number of a CPU", most_tasks))
      ->group(group)
      ->allow_extra_args(false);
}

}  // namespace

void add_bt_options(CLI::App& command, TaskOptions& options) {
  command.add_flag("-a,--all", options.all, "Every task as well as the vCPUs")->group(group);
  add_selection(command, options);
  command.add_flag("!--no-fold", options.fold,
                   "Show every task by itself, even if traces are equal");
  command.add_flag(
      "--lines", options.lines,
      "File and line of each frame, and the functions\ninlined there; needs a vmlinux");
}

void add_ps_options(CLI::App& command, TaskOptions& options) {
  add_selection(command, options);
  command
      .add_option(
          "--sort", options.sort,
          "pid (the default), time (what has not run for\nlongest first), state, cpu or comm")
      ->type_name("BY")
      ->check(one_of(task_orders));
  command.add_flag("--tree", options.tree, "Children below their parents");
}

}  // namespace photon_dmesg
