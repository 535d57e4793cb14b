#include "kernel/health/cpu_health.h"

#include <catch2/catch.hpp>

#include "kernel/health/cpu_pools.h"
#include "kernel/health/guest_time.h"
#include "kernel/health/rcu.h"
#include "kernel/health/worker_pools.h"
#include "support/task_guest.h"

namespace photon_dmesg {
namespace {

using test::MadeMember;
using test::TaskGuest;

constexpr std::uint64_t second = 1'000'000'000;

// Two CPUs whose own data lie a page apart.
class HealthGuest : public TaskGuest {
 public:
  HealthGuest() {
    const GuestVirtual offsets = variable("__per_cpu_offset");
    write(offsets, 0);
    write(offsets + 8, per_cpu_size);
    write(variable("nr_cpu_ids"), 2, 4);
    write(variable("__cpu_present_mask"), 3, 1);
    online = variable("__cpu_online_mask");
    write(online, 3, 1);
    queues = variable("runqueues", per_cpu_size * 2);
    type("rq", 256, {{"clock", 0}, {"nr_running", 8, 4}, {"stop", 16}, {"curr", 24}, {"idle", 32}});
    write(queues, 100 * second);
    write(queues + per_cpu_size, 90 * second);
    jiffies = variable("jiffies_64");
    write(jiffies, hz_250_begin + 100 * 250);
  }

  [[nodiscard]] GuestTime time() { return read_guest_time(kernel(), cpus(2), {}); }

  static constexpr std::uint64_t per_cpu_size = 0x1000;
  static constexpr std::uint64_t hz_250_begin = 0x100000000 - 300 * 250;
  GuestVirtual online;
  GuestVirtual queues;
  GuestVirtual jiffies;
};

TEST_CASE("The latest of all clocks is when the guest stopped, and tells the ticks of a second") {
  HealthGuest guest;
  CHECK(guest.time().now_nsec == 100 * second);
  CHECK(guest.time().hz == 250U);
  const auto with = [&](const KnownTimes& known) {
    return read_guest_time(guest.kernel(), guest.cpus(2), known);
  };
  CHECK(with({101 * second, {}, {}, {}}).now_nsec == 101 * second);
  CHECK(with({101 * second, 102 * second, {}, {}}).now_nsec == 102 * second);
  SECTION("but for one that nothing else confirms, as it may be damaged") {
    CHECK(with({7000 * second, 101 * second, {}, {}}).now_nsec == 101 * second);
    guest.write(guest.queues, 7000 * second);
    CHECK(with({101 * second, 102 * second, {}, {}}).now_nsec == 102 * second);
  }
  SECTION("a task that got a CPU since then, or the queue's other clock, confirms it") {
    CHECK(with({{}, 7000 * second, {6999 * second}, {}}).now_nsec == 7000 * second);
    guest.type("rq", 256, {{"clock", 0}, {"clock_task", 48}});
    guest.write(guest.queues, 7000 * second);
    guest.write(guest.queues + 48, 6998 * second);
    CHECK(guest.time().now_nsec == 7000 * second);
  }
  SECTION(
      "but not that of the last record by tasks that ran then: it may have been the last long "
      "ago") {
    CHECK(with({5000 * second, 7000 * second, {5001 * second}, {}}).now_nsec == 7000 * second);
  }
  SECTION("where none confirms another the timekeeper's counts") {
    CHECK(with({{}, 7000 * second, {}, {}}).now_nsec == 7000 * second);
  }
  SECTION("timers are set by a clock that may go slower") {
    const auto slower = [](std::uint64_t nsec) { return nsec - 3 * second; };
    CHECK(with({{}, {}, {}, slower}).monotonic_nsec == 97 * second);
  }
  SECTION("what jiffies say is long ago") {
    CHECK(guest.time().nsec_since_jiffies(guest.time().jiffies - 500) == 2 * second);
    CHECK(guest.time().nsec_since_jiffies(guest.time().jiffies + 500) == 0U);
  }
  SECTION("jiffies that agree with no clock tell nothing") {
    guest.write(guest.jiffies, 123);
    CHECK_FALSE(guest.time().hz);
    CHECK_FALSE(guest.time().nsec_since_jiffies(1));
  }
  SECTION("each number of ticks is known again") {
    for (const std::uint32_t hz : {100U, 250U, 300U, 1000U}) {
      CAPTURE(hz);
      guest.write(guest.jiffies, 0x100000000 - 300ULL * hz + 100ULL * hz);
      CHECK(guest.time().hz == hz);
    }
  }
}

TEST_CASE("A timer that lies behind the guest's stop is overdue") {
  HealthGuest guest;
  const GuestVirtual bases = guest.variable("hrtimer_bases", HealthGuest::per_cpu_size * 2);
  guest.type("hrtimer_cpu_base", 128,
             {{"hres_active", 28, 4}, {"expires_next", 32}, {"next_timer", 40}});
  guest.write(bases + 28, 1, 4);
  guest.write(bases + HealthGuest::per_cpu_size + 28, 1, 4);
  guest.write(bases + 32, 100 * second + second / 250);
  guest.write(bases + HealthGuest::per_cpu_size + 32, 18 * second);
  const auto read = [&] {
    return read_cpu_health(guest.kernel(), guest.types(), guest.cpus(2), guest.time(),
                           guest.diagnostics());
  };
  REQUIRE(read().size() == 2);
  CHECK_FALSE(read()[0].overdue_nsec);
  CHECK(read()[1].overdue_nsec == 82 * second);
  CHECK(read()[1].timer_due->address == bases + HealthGuest::per_cpu_size + 32);
  CHECK(read()[1].has_timers);
  CHECK(guest.diagnostics().warnings().empty());
  SECTION("the timer itself confirms it") {
    const GuestVirtual timer = guest.allocate(64);
    guest.write(bases + HealthGuest::per_cpu_size + 40, timer.value);
    CHECK_FALSE(read()[1].timer_agrees);
    guest.write(timer + 24, 18 * second);
    CHECK(read()[1].timer_agrees);
  }
  SECTION("one that is not set is not overdue") {
    guest.write(bases + HealthGuest::per_cpu_size + 32, 0x7fffffffffffffff);
    CHECK_FALSE(read()[1].overdue_nsec);
    CHECK(read()[1].timer_due->value == no_timer_due);
  }
  SECTION("without high resolution nobody keeps it up") {
    guest.write(bases + HealthGuest::per_cpu_size + 28, 0, 4);
    CHECK_FALSE(read()[1].overdue_nsec);
    CHECK_FALSE(read()[1].timer_due);
  }
  SECTION("a CPU that is taken off is said to be") {
    guest.write(guest.online, 1, 1);
    CHECK(read()[0].is_online);
    CHECK_FALSE(read()[1].is_online);
  }
}

TEST_CASE("Timers that can't be read are said to be missing") {
  HealthGuest guest;
  guest.type("hrtimer_cpu_base", 128, {{"expires_next", 32}});
  guest.symbol("hrtimer_bases", TaskGuest::nowhere);
  const auto health = read_cpu_health(guest.kernel(), guest.types(), guest.cpus(2), guest.time(),
                                      guest.diagnostics());
  REQUIRE(health.size() == 2);
  CHECK_FALSE(health[0].has_timers);
  CHECK_FALSE(health[0].timer_due);
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{
            "the timers of CPU 0, 1 can't be read: whether interrupts are taken is not judged"});
}

TEST_CASE("While a CPU's timers are served, the one that is says since when") {
  // For how long CPU 1 has been serving one that is due at `expires`; `running`: where it says so.
  const auto served = [](std::uint64_t running, std::uint64_t expires, bool is_until_4_15) {
    HealthGuest guest;
    std::vector<MadeMember> members = {{"expires_next", 32}, {"clock_base", 64, 64}};
    if (is_until_4_15) members.push_back({"running", 8});
    guest.type("hrtimer_cpu_base", 128, members);
    const GuestVirtual base =
        guest.variable("hrtimer_bases", HealthGuest::per_cpu_size * 2) + HealthGuest::per_cpu_size;
    const GuestVirtual timer = guest.allocate(64);
    guest.write(timer + 24, expires);
    guest.write(timer + 48, base + 64);
    guest.write(base + running, timer);
    const auto health = read_cpu_health(guest.kernel(), guest.types(), guest.cpus(2), guest.time(),
                                        guest.diagnostics());
    CHECK_FALSE(health[0].served_nsec);
    return health[1].served_nsec;
  };
  constexpr std::uint64_t of_clock = 64 + 24;
  CHECK(served(of_clock, 40 * second, false) == 60 * second);
  CHECK_FALSE(served(of_clock, 40 * second, true));
  CHECK(served(8, 40 * second, true) == 60 * second);
  CHECK_FALSE(served(of_clock, 140 * second, false));  // it is set again
}

TEST_CASE("The watchdog's mark counts only where the watchdog runs") {
  HealthGuest guest;
  guest.write(guest.variable("watchdog_touch_ts", HealthGuest::per_cpu_size * 2), 55);
  const GuestVirtual samples = guest.variable("hrtimer_interrupts", HealthGuest::per_cpu_size * 2);
  const auto read = [&] {
    return read_cpu_health(guest.kernel(), guest.types(), guest.cpus(2), guest.time(),
                           guest.diagnostics());
  };
  CHECK_FALSE(read()[0].watchdog_touched);
  guest.write(samples, 3);
  CHECK(read()[0].watchdog_touched->value == 55);
  SECTION("it looks so often as its threshold says") {
    CHECK(read()[0].watchdog_seconds == 4);
    const GuestVirtual threshold = guest.variable("watchdog_thresh");
    guest.write(threshold, 60, 4);
    CHECK(read()[0].watchdog_seconds == 24);
    guest.write(threshold, 1, 4);
    CHECK(read()[0].watchdog_seconds == 1);
    guest.write(threshold, 61, 4);  // no kernel takes that
    CHECK(read()[0].watchdog_seconds == 4);
    guest.write(threshold, 0, 4);
    CHECK_FALSE(read()[0].watchdog_touched);
  }
  SECTION("and not at all once it was turned off") {
    const GuestVirtual enabled = guest.variable("watchdog_enabled");
    guest.write(enabled, 3);
    CHECK(read()[0].watchdog_touched);
    guest.write(enabled, 0);
    CHECK_FALSE(read()[0].watchdog_touched);
  }
}

// A grace period: rcu_state, with one node for all CPUs.
class RcuGuest : public HealthGuest {
 public:
  RcuGuest() {
    type("rcu_state", 1024,
         {{"node", 0, 256, "rcu_node"},
          {"level", 512, 16},
          {"gp_seq", 600},
          {"gp_start", 608},
          {"gp_activity", 616}});
    type("rcu_node", 256,
         {{"qsmask", 8}, {"grplo", 16, 4}, {"gp_tasks", 24}, {"blkd_tasks", 32, 16}});
    type("task_struct", test::task_at::size, {{"rcu_node_entry", 128, 16}});
    state = variable("rcu_state", 1024);
    levels = variable("rcu_num_lvls");
    nodes = variable("rcu_num_nodes");
    write(state + 512, state);
    write(levels, 1, 4);
    write(nodes, 1, 4);
    write(state + 600, 0x101);
    write(state + 608, time().jiffies - 50 * 250);
    write(state + 616, time().jiffies - 20 * 250);
    write(state + 8, 2);
    begin_list(state + 32);
  }
  [[nodiscard]] RcuState state_of_rcu() {
    return read_rcu(kernel(), types(), time(), diagnostics());
  }
  [[nodiscard]] std::optional<RcuGracePeriod> read() { return state_of_rcu().open; }
  GuestVirtual state;
  GuestVirtual levels;
  GuestVirtual nodes;  // how many
};

TEST_CASE("An open grace period says for how long, and which CPUs it waits for") {
  RcuGuest guest;
  CHECK(guest.state_of_rcu().is_read);
  const auto period = guest.read();
  REQUIRE(period);
  CHECK(period->sequence.value == 0x101);
  CHECK(period->sequence.address == guest.state + 600);
  CHECK(period->age_nsec == 50 * second);
  CHECK(period->thread_nsec == 20 * second);
  CHECK(period->cpus == std::vector<std::uint32_t>{1});
  CHECK(period->readers.empty());
  SECTION("one that has ended is none") {
    guest.write(guest.state + 600, 0x104);
    CHECK_FALSE(guest.read());
    CHECK(guest.state_of_rcu().is_read);
  }
  SECTION("CPUs of a node begin where it says") {
    guest.write(guest.state + 16, 64, 4);
    CHECK(guest.read()->cpus == std::vector<std::uint32_t>{65});
  }
  SECTION("tasks that were preempted in a reader hold it up from the first that does") {
    const GuestVirtual later = guest.allocate(256);
    const GuestVirtual holder = guest.allocate(256);
    guest.append(guest.state + 32, later + 128);
    guest.append(guest.state + 32, holder + 128);
    guest.write(guest.state + 24, holder + 128);
    CHECK(guest.read()->readers == std::vector<GuestVirtual>{holder});
    CHECK(guest.state_of_rcu().is_read);
  }
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("What can't be read of RCU is not taken for none, and is said") {
  RcuGuest guest;
  const auto damage = [&] {
    CHECK_FALSE(guest.state_of_rcu().is_read);
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    const std::string& warning = guest.diagnostics().warnings().front();
    CHECK_THAT(warning, Catch::StartsWith("the state of RCU is damaged: "));
    return warning;
  };
  SECTION("numbers of nodes that no kernel has make no CPUs up") {
    guest.write(guest.levels, 0x7fffffff, 4);
    CHECK_THAT(damage(), Catch::Contains("rcu_num_lvls is 2147483647, and rcu_num_nodes 1:"));
    CHECK(guest.read()->cpus.empty());
  }
  SECTION("nor does a level that has no node of its own") {
    guest.write(guest.state + 512, guest.state + 8);
    CHECK_THAT(damage(), Catch::Contains("rcu_state.level at " + test::hex(guest.state + 512)));
    CHECK(guest.read()->cpus.empty());
  }
  SECTION("readers whose list is damaged") {
    guest.write(guest.state + 24, guest.allocate(256));
    guest.write_words(guest.state + 32, {0x1234, 0x1234});
    CHECK_THAT(damage(), Catch::Contains("the list of readers: "));
  }
  SECTION("readers whose list lacks the first of them") {
    guest.write(guest.state + 24, guest.allocate(256));
    CHECK_THAT(damage(), Catch::Contains("the list of readers at "));
  }
}

TEST_CASE("RCU whose state is not in memory is not taken for one without a grace period") {
  HealthGuest guest;
  guest.type("rcu_state", 1024, {{"gp_seq", 600}});
  guest.symbol("rcu_state", TaskGuest::nowhere);
  const RcuState state = read_rcu(guest.kernel(), guest.types(), guest.time(), guest.diagnostics());
  CHECK_FALSE(state.is_read);
  CHECK_FALSE(state.open);
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{"the state of RCU is damaged: rcu_state.gp_seq can't be read: "
                                 "what a grace period waits for may be missing"});
}

TEST_CASE("Without the types of its nodes RCU is not read, which is no damage") {
  RcuGuest guest;
  guest.type("rcu_node", 256, {{"qsmask", 8}});
  CHECK_FALSE(guest.state_of_rcu().is_read);
  CHECK(guest.read());
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("All nodes of RCU together have no more readers than a guest can have") {
  RcuGuest guest;
  guest.write(guest.nodes, 2, 4);
  constexpr std::uint64_t readers = 40'000;
  for (const GuestVirtual node : {guest.state, guest.state + 256}) {
    GuestVirtual last = node + 32;
    const GuestVirtual first = guest.allocate(readers * 16);
    for (std::uint64_t i = 0; i < readers; ++i) {
      const GuestVirtual reader = first + i * 16;
      guest.write(last, reader);
      guest.write(reader + 8, last);
      last = reader;
    }
    guest.write(last, node + 32);
    guest.write(node + 40, last);
    guest.write(node + 24, first);
  }
  CHECK(guest.read()->readers.size() == readers);
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{"RCU: more than 65536 readers: the rest is left out"});
}

TEST_CASE("Without its symbol or types nothing is said of RCU") {
  HealthGuest guest;
  const RcuState state = read_rcu(guest.kernel(), guest.types(), guest.time(), guest.diagnostics());
  CHECK_FALSE(state.is_read);
  CHECK_FALSE(state.open);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("A pool of workers in which works wait says how many and since when") {
  HealthGuest guest;
  guest.type("worker_pool", 512, {{"watchdog_ts", 16}, {"worklist", 32, 16}});
  const GuestVirtual pools = guest.variable("cpu_worker_pools", HealthGuest::per_cpu_size * 2);
  for (const std::uint64_t cpu : {0U, 1U}) {
    for (const std::uint64_t pool : {0U, 1U}) {
      const GuestVirtual at = pools + cpu * HealthGuest::per_cpu_size + pool * 512;
      guest.begin_list(at + 32);
      guest.write(at + 16, guest.time().jiffies - 30 * 250);
    }
  }
  const auto read_pools = [&] {
    return read_waiting_pools(guest.kernel(), guest.types(), guest.cpus(2), guest.time(),
                              guest.diagnostics());
  };
  const auto read = [&] { return read_pools().all; };
  using Numbers = std::vector<std::uint32_t>;
  CHECK(read_pools().known_cpus == Numbers{0, 1});
  CHECK(read().empty());
  const GuestVirtual high = pools + HealthGuest::per_cpu_size + 512;
  guest.append(high + 32, guest.allocate(64));
  guest.append(high + 32, guest.allocate(64));
  REQUIRE(read().size() == 1);
  CHECK(read()[0].cpu == 1);
  CHECK(read()[0].is_high_priority);
  CHECK(read()[0].waiting == 2);
  CHECK(read()[0].stalled_nsec == 30 * second);
  CHECK(read()[0].address == high);
  CHECK(guest.diagnostics().warnings().empty());
  SECTION("that a list is damaged is said, and how many more are") {
    guest.write_words(high + 32, {0xdead0000, 0xdead0000});
    const WaitingPools damaged = read_pools();
    CHECK(damaged.all.empty());
    CHECK(damaged.known_cpus == Numbers{0});
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK(guest.diagnostics().warnings()[0] ==
          "a list of works is damaged, of CPU 1: " + test::hex(high + 32) +
              " leads to 0xdead0000, which does not lead back: some may be missing");
    guest.write(pools + 32, 0);
    guest.write(pools + 512 + 32, 0);
    CHECK(read().empty());
    CHECK(guest.diagnostics().warnings().back() == "2 more lists of works are damaged");
  }
  SECTION("without the ticks of a second nothing of them is known, which is no damage") {
    guest.write(guest.jiffies, 123);
    CHECK(read_pools().known_cpus.empty());
    CHECK(guest.diagnostics().warnings().empty());
  }
}

TEST_CASE("The lists of all pools have one bound, though each may lead through all of them") {
  HealthGuest guest;
  PoolLists lists(guest.memory(), "works");
  constexpr std::uint64_t nodes = 60'000;
  const GuestVirtual ring = guest.allocate(nodes * 16);
  for (std::uint64_t i = 0; i < nodes; ++i) {
    guest.write(ring + i * 16, ring + (i + 1) % nodes * 16);
    guest.write(ring + i * 16 + 8, ring + (i + nodes - 1) % nodes * 16);
  }
  std::size_t walked = 0;
  for (std::uint64_t i = 0; i < 100; ++i) walked += lists.walk(0, ring + i * 16).nodes.size();
  CHECK(walked < (1U << 20U) + nodes);
  CHECK(lists.walk(1, ring).broken);
  lists.warn(guest.diagnostics());
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{"the lists of all CPUs' workers: more than 1048576 works: the "
                                 "rest is left out"});
}

TEST_CASE("Until the kernel schedules it is in early boot, as far as it tells") {
  HealthGuest guest;
  CHECK_FALSE(is_in_early_boot(guest.kernel()));
  const GuestVirtual state = guest.variable("system_state");
  CHECK(is_in_early_boot(guest.kernel()));
  guest.write(state, 1, 4);
  CHECK_FALSE(is_in_early_boot(guest.kernel()));
}

}  // namespace
}  // namespace photon_dmesg
