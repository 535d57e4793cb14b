#include "cli/options/task_options.h"

#include <catch2/catch.hpp>

#include "cli/options/options.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

TaskOptions parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "photon-dmesg");
  arguments.emplace_back("vm.vmss");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return parse_options(static_cast<int>(argv.size()), argv.data()).value().tasks;
}

void check_refused(const std::string& part, const std::vector<std::string>& arguments) {
  check_fails(Failure::Usage, part, [&] { (void)parse(arguments); });
}

}  // namespace

TEST_CASE("task options: alone, bt shows the vCPUs and ps every task by pid") {
  const TaskOptions bt = parse({"bt"});
  CHECK_FALSE(bt.all);
  CHECK_FALSE(bt.selects());
  CHECK(bt.fold);
  const TaskOptions ps = parse({"ps"});
  CHECK(ps.sort == "pid");
  CHECK_FALSE(ps.tree);
}

TEST_CASE("task options: which tasks, by several of each kind") {
  for (const char* command : {"bt", "ps"}) {
    INFO(command);
    const TaskOptions options = parse({command, "--pid", "12", "--pid", "1", "--comm", "kworker/*",
                                       "--comm", "sh", "--cpu", "0", "--cpu", "3", "--blocked"});
    CHECK(options.pids == std::vector<std::int32_t>{12, 1});
    CHECK(options.comms == std::vector<std::string>{"kworker/*", "sh"});
    CHECK(options.cpus == std::vector<std::uint32_t>{0, 3});
    CHECK(options.blocked);
    CHECK(options.selects());
  }
}

TEST_CASE("task options: a CPU alone selects no single tasks") {
  CHECK_FALSE(parse({"bt", "--cpu", "1"}).selects());
  CHECK(parse({"bt", "--blocked"}).selects());
  CHECK(parse({"bt", "--comm", "sh"}).selects());
}

TEST_CASE("task options: how bt and ps show them") {
  CHECK(parse({"bt", "-a"}).all);
  CHECK(parse({"bt", "--all"}).all);
  CHECK_FALSE(parse({"bt", "--no-fold"}).fold);
  CHECK(parse({"ps", "--tree"}).tree);
  for (const std::string& order : task_orders) CHECK(parse({"ps", "--sort", order}).sort == order);
}

TEST_CASE("task options: what makes no sense is a usage error") {
  check_refused("expected one of pid, time, state, cpu, comm, found colour",
                {"ps", "--sort", "colour"});
  check_refused("--pid: expected the number of a process or thread, found \"init\"",
                {"bt", "--pid", "init"});
  check_refused("--pid: expected the number of a process or thread, found \"99999999999\"",
                {"ps", "--pid", "99999999999"});
  check_refused("--cpu: expected the number of a CPU, found \"-1\"", {"bt", "--cpu", "-1"});
  check_refused("--tree", {"bt", "--tree"});
  check_refused("--no-fold", {"ps", "--no-fold"});
}

}  // namespace photon_dmesg::test
