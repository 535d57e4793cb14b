#include "kernel/storage/disks.h"

#include <catch2/catch.hpp>

#include "support/storage_guest.h"

namespace photon_dmesg::test {
namespace {

std::vector<Disk> disks_of(StorageGuest& guest) {
  const Cpus cpus = guest.cpus();
  return read_disks(guest.kernel(), guest.types(), cpus, guest.diagnostics()).value();
}

// The requests of a disk, shown as text.
std::vector<std::string> texts(const Disk& disk) {
  std::vector<std::string> all;
  for (const Request& request : disk.requests) {
    std::string text = fmt::format("{} {}", name_of(request.state), request.operation);
    if (request.sector) text += fmt::format(" {}+{}", *request.sector, request.bytes.value_or(0));
    if (request.since_nsec) text += fmt::format(" since {}", *request.since_nsec);
    if (request.given_nsec && request.given_nsec != request.since_nsec) {
      text += fmt::format(" given at {}", *request.given_nsec);
    }
    all.push_back(text);
  }
  return all;
}
using Texts = std::vector<std::string>;

// One disk.
struct OneDisk : StorageGuest {
  MadeDisk made = disk("sda");
  MadeTags own = tags(4);

  explicit OneDisk(const std::string& release = "6.1.0") : StorageGuest(release) {
    use_tags(made, own);
  }

  Disk one() {
    std::vector<Disk> all = disks_of(*this);
    REQUIRE(all.size() == 1);
    return all[0];
  }
};

}  // namespace

TEST_CASE("disks: each is there once, with what is its own of the requests that they share") {
  StorageGuest guest;
  const auto second = guest.disk("sdb");
  const auto first = guest.disk("sda");
  guest.part(first, 1);
  const auto tags = guest.tags(4);
  guest.use_tags(first, tags);
  guest.use_tags(second, tags);
  guest.ask(second, StorageGuest::request(tags, 0), 1, 100, 3000);
  guest.ask(first, StorageGuest::request(tags, 2), 0, 8, 2000);
  guest.ask(first, StorageGuest::request(tags, 3), 2, 0, 1000);
  const std::vector<Disk> disks = disks_of(guest);
  REQUIRE(disks.size() == 2);
  CHECK(disks[0].name == "sda");
  CHECK(disks[0].address == first.disk);
  CHECK(disks[0].queue == first.queue);
  CHECK(texts(disks[0]) == Texts{"in_flight flush since 1000", "in_flight read 8+4096 since 2000"});
  CHECK(count(disks[0], RequestState::InFlight) == 2);
  CHECK(count(disks[0], RequestState::Waiting) == 0);
  CHECK(disks[1].name == "sdb");
  CHECK(texts(disks[1]) == Texts{"in_flight write 100+4096 since 3000"});
  CHECK(disks[1].requests[0].address == StorageGuest::request(tags, 0));
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("disks: how far a request has come, and since when") {
  OneDisk guest;
  const GuestVirtual request = StorageGuest::request(guest.own, 1);
  guest.ask(guest.made, request, 1, 8, 5000);
  guest.write(request + request_at::made, 4000);
  const auto state = [&](std::uint64_t state, std::uint64_t references) {
    guest.write(request + request_at::state, state, 4);
    guest.write(request + request_at::references, references, 4);
    return texts(guest.one());
  };
  CHECK(state(1, 1) == Texts{"in_flight write 8+4096 since 4000 given at 5000"});
  CHECK(state(2, 1) == Texts{"completed write 8+4096 since 4000 given at 5000"});
  CHECK(state(0, 1) == Texts{"waiting write 8+4096 since 4000"});
  CHECK(state(0, 0) == Texts{});  // it is free
  guest.write(request + request_at::issued, 0);
  CHECK(state(1, 1) == Texts{"in_flight write 8+4096 since 4000"});
  guest.write(request + request_at::made, 0);
  CHECK(state(1, 1) == Texts{"in_flight write 8+4096"});
  guest.write(request + request_at::issued, 5000);
  CHECK(state(1, 1) == Texts{"in_flight write 8+4096 since 5000"});
}

TEST_CASE("disks: a request that is kept for what a task may ask yet is none") {
  OneDisk guest;
  const GuestVirtual request = StorageGuest::request(guest.own, 1);
  const auto asked = [&](std::uint64_t operation, std::uint64_t state) {
    guest.ask(guest.made, request, operation, 8, 5000);
    guest.write(request + request_at::bio, 0);
    guest.write(request + request_at::state, state, 4);
    return guest.one().requests.size();
  };
  CHECK(asked(0, 0) == 0);
  CHECK(asked(1, 0) == 0);
  CHECK(asked(1, 1) == 1);   // the driver has it
  CHECK(asked(2, 0) == 1);   // a flush has nothing to write
  CHECK(asked(34, 0) == 1);  // nor have many of a driver's own commands
}

TEST_CASE("disks: since 4.18 CLOCK_MONOTONIC tells since when a request is") {
  const auto is_by_monotonic = [](const std::string& release) {
    OneDisk guest(release);
    guest.ask(guest.made, StorageGuest::request(guest.own, 1), 1, 8, 5000);
    return guest.one().requests.at(0).by_monotonic;
  };
  CHECK_FALSE(is_by_monotonic("4.17.0"));
  CHECK(is_by_monotonic("4.18.0"));
}

TEST_CASE("disks: a request's age, where both times are known") {
  Request request;
  CHECK_FALSE(age_of(request, 5000));
  request.since_nsec = 1000;
  CHECK(age_of(request, 5000) == 4000U);
  CHECK(age_of(request, 900) == 0U);
  request.given_nsec = 3000;
  CHECK(age_of(request, 5000) == 2000U);
  request.scsi_tries = ScsiTries{0, 5};
  CHECK(age_of(request, 5000) == 2000U);
  request.scsi_tries = ScsiTries{1, 5};
  CHECK(age_of(request, 5000) == 4000U);
  request = {};
  request.since_nsec = 1000;
  CHECK_FALSE(age_of(request, std::nullopt));
}

TEST_CASE("disks: those of which it is not known since when come last") {
  OneDisk guest;
  guest.ask(guest.made, StorageGuest::request(guest.own, 0), 0, 1, 0);
  guest.ask(guest.made, StorageGuest::request(guest.own, 1), 0, 2, 7000);
  CHECK(texts(guest.one()) == Texts{"in_flight read 2+4096 since 7000", "in_flight read 1+4096"});
}

TEST_CASE("disks: an elevator has requests of its own, and flushes are beside all others") {
  OneDisk guest;
  const auto elevator = guest.tags(2);
  guest.ask(guest.made, StorageGuest::request(elevator, 1), 3, 64, 1);
  const GuestVirtual context = guest.allocate(16);
  const GuestVirtual flushes = guest.allocate(16);
  const GuestVirtual flush = guest.allocate(request_at::size);
  guest.ask(guest.made, flush, 2, 0, 2);
  guest.write(context, elevator.tags);
  guest.write(context + 8, flushes);
  guest.write(flushes + 8, flush);
  const Texts expected = {"in_flight discard 64+4096 since 1", "in_flight flush since 2"};
  SECTION("found by the queue's array") {
    const GuestVirtual contexts = guest.allocate(8);
    guest.write(contexts, context);
    guest.write(guest.made.queue + queue_at::contexts, contexts);
    CHECK(texts(guest.one()) == expected);
  }
  SECTION("found by its tree") {
    guest.type("request_queue", queue_at::size,
               {{"hctx_table", queue_at::contexts, 8, "xarray"}, {"tag_set", queue_at::tag_set}});
    guest.type("xarray", 8, {{"xa_head", 0}});
    guest.type("xa_node", 64, {{"slots", 0, 64}});
    SECTION("which has one alone") {
      guest.write(guest.made.queue + queue_at::contexts, context);
    }
    SECTION("which has a node") {
      const GuestVirtual node = guest.allocate(64);
      guest.write(node + 8, context);
      guest.write(guest.made.queue + queue_at::contexts, node + 2);
    }
    CHECK(texts(guest.one()) == expected);
  }
  SECTION("the requests shared by all its queues") {
    guest.write(guest.made.queue + queue_at::shared_tags, elevator.tags);
    CHECK(texts(guest.one()) == Texts{"in_flight discard 64+4096 since 1"});
  }
}

TEST_CASE("disks: until 4.10 tags have one array of requests") {
  OneDisk guest("4.9.0");
  guest.type("blk_mq_tags", 24, {{"nr_tags", 0, 4}, {"rqs", 8}});
  guest.ask(guest.made, StorageGuest::request(guest.own, 3), 0, 8, 1);
  CHECK(texts(guest.one()) == Texts{"in_flight read 8+4096 since 1"});
}

TEST_CASE("disks: states until 4.15, and in 4.16 and 4.17") {
  const auto state = [](const char* member, std::uint64_t state) {
    OneDisk guest("4.14.0");
    guest.type("request", request_at::size, {{"q", 0}, {member, request_at::state}});
    guest.ask(guest.made, StorageGuest::request(guest.own, 0), 0, 8, 1);
    guest.write(StorageGuest::request(guest.own, 0) + request_at::state, state);
    return texts(guest.one());
  };
  CHECK(state("atomic_flags", 0) == Texts{});
  CHECK(state("atomic_flags", 1) == Texts{});
  CHECK(state("atomic_flags", 2) == Texts{"in_flight read"});
  CHECK(state("atomic_flags", 3) == Texts{"completed read"});
  CHECK(state("gstate", 0x104) == Texts{});
  CHECK(state("gstate", 0x105) == Texts{"in_flight read"});
  CHECK(state("gstate", 0x106) == Texts{"completed read"});
}

TEST_CASE("disks: what a request is for, as each kernel numbers it") {
  const auto operation = [](const std::string& release, std::uint64_t flags) {
    OneDisk guest(release);
    guest.type("request", request_at::size,
               {{"q", request_at::queue}, {"cmd_flags", 48}, {"state", request_at::state, 4}});
    guest.ask(guest.made, StorageGuest::request(guest.own, 0), 0, 8, 1);
    guest.write(StorageGuest::request(guest.own, 0) + 48, flags);
    return guest.one().requests.at(0).operation;
  };
  constexpr std::uint64_t sync = 1U << 11;
  CHECK(operation("6.1.0", 1 | sync) == "write");
  CHECK(operation("6.1.0", 9) == "write zeroes");
  CHECK(operation("6.1.0", 34) == "driver in");
  CHECK(operation("6.1.0", 17) == "operation 17");
  CHECK(operation("4.9.0", std::uint64_t{5} << 61 | sync) == "flush");
  CHECK(operation("4.9.0", std::uint64_t{2} << 61) == "discard");
  CHECK(operation("4.9.0", sync) == "read");
  CHECK(operation("4.4.0", 1 | sync) == "write");
  CHECK(operation("4.4.0", 1 | 1U << 7) == "discard");
  CHECK(operation("4.4.0", 1 | 1U << 13) == "flush");
  CHECK(operation("4.4.0", sync) == "read");
}

TEST_CASE("disks: before blk-mq the driver's requests are a list, until 4.20") {
  const auto requests = [](const std::string& release) {
    StorageGuest guest(release);
    const auto disk = guest.disk("sda");
    guest.type("request_queue", queue_at::size, {{"timeout_list", queue_at::timeouts, 16}});
    guest.type("request", request_at::size,
               {{"q", request_at::queue},
                {"cmd_flags", request_at::flags, 4},
                {"__sector", request_at::sector},
                {"timeout_list", 48, 16}});
    const GuestVirtual request = guest.allocate(request_at::size);
    guest.ask(disk, request, 1, 16, 0);
    guest.append(disk.queue + queue_at::timeouts, request + 48);
    return texts(disks_of(guest).at(0));
  };
  CHECK(requests("4.19.97") == Texts{"in_flight write 16+0"});
  CHECK(requests("5.0.0") == Texts{});
}

TEST_CASE("disks: tags that name more requests than memory has come to an end") {
  OneDisk guest;
  guest.write(guest.own.tags, 0xffffffff, 4);
  guest.ask(guest.made, StorageGuest::request(guest.own, 0), 0, 8, 1);
  CHECK(texts(guest.one()).size() == 1);
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK(guest.diagnostics().warnings()[0] ==
        "the guest: more than 1048576 places for requests to disks: the rest is left out");
}

TEST_CASE("disks: what has begun is counted on each CPU, where it may end on another") {
  StorageGuest guest;
  const auto disk = guest.disk("dm-0");
  const std::vector<GuestVirtual> data = {guest.allocate(64), guest.allocate(64)};
  const GuestVirtual offsets = guest.variable("__per_cpu_offset");
  guest.write(guest.variable("nr_cpu_ids"), 2, 4);
  constexpr std::uint64_t stats = 16;  // a per-CPU pointer
  const auto counters = [&](std::size_t cpu, std::uint64_t reads, std::uint64_t writes) {
    guest.write(offsets + cpu * 8, data[cpu]);
    guest.write(data[cpu] + stats + 16, reads);
    guest.write(data[cpu] + stats + 24, writes);
  };
  counters(0, 5, static_cast<std::uint64_t>(-2));
  counters(1, static_cast<std::uint64_t>(-3), 2);
  const auto cpus = guest.cpus(2);
  const auto one = [&] {
    return read_disks(guest.kernel(), guest.types(), cpus, guest.diagnostics())->at(0);
  };
  SECTION("since 5.11") {
    guest.write(disk.device + 16, stats);
  }
  SECTION("since 5.0") {
    guest.type("block_device", 32, {{"bd_disk", 0}});
    guest.type("hd_struct", 8, {{"dkstats", 0}});
    guest.write(disk.disk + disk_at::part, stats);
  }
  CHECK(one().reads_begun == 2);
  CHECK(one().writes_begun == 0);
}

TEST_CASE("disks: what has begun is not counted on more CPUs than memory has counters for") {
  StorageGuest guest;
  constexpr std::size_t cpus = 8192;
  const GuestVirtual offsets = guest.variable("__per_cpu_offset", cpus * 8);
  const GuestVirtual data = guest.allocate(cpus * 32 + 64);
  guest.write(guest.variable("nr_cpu_ids"), cpus, 4);
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) guest.write(offsets + cpu * 8, data + cpu * 32);
  const std::uint64_t most = guest.memory().ram_size() / 128;
  const std::size_t counted = most / cpus;
  for (std::size_t i = 0; i <= counted; ++i) {
    guest.write(guest.disk(fmt::format("sd{:03}", i)).device + 16, 8);
  }
  const Cpus all = guest.cpus(cpus);
  REQUIRE(all.all().size() == cpus);
  const std::vector<Disk> disks =
      read_disks(guest.kernel(), guest.types(), all, guest.diagnostics()).value();
  REQUIRE(disks.size() == counted + 1);
  CHECK(disks[counted - 1].reads_begun == 0);
  CHECK_FALSE(disks[counted].reads_begun);
  CHECK(guest.diagnostics().warnings() ==
        std::vector<std::string>{fmt::format(
            "the guest: more than {} CPUs' counters of disks: the rest is left out", most)});
}

TEST_CASE("disks: a kernel that does not count what has begun says zero of what is in flight") {
  OneDisk guest("4.19.97");
  guest.type("block_device", 32, {{"bd_disk", 0}});
  guest.type("hd_struct", 8, {{"in_flight", 0, 8}});
  guest.write(guest.made.disk + disk_at::part, 0);
  CHECK(guest.one().reads_begun == 0);
  guest.ask(guest.made, StorageGuest::request(guest.own, 0), 0, 8, 1);
  CHECK_FALSE(guest.one().reads_begun);
  CHECK_FALSE(guest.one().writes_begun);
  guest.write(guest.made.disk + disk_at::part + 4, 1, 4);
  CHECK(guest.one().reads_begun == 0);
  CHECK(guest.one().writes_begun == 1);
}

TEST_CASE("disks: what has begun until 4.20 are two numbers in the disk") {
  StorageGuest guest("4.19.97");
  const auto disk = guest.disk("dm-0");
  guest.type("block_device", 32, {{"bd_disk", 0}});
  guest.type("hd_struct", 8, {{"in_flight", 0, 8}});
  guest.write(disk.disk + disk_at::part, 3, 4);
  guest.write(disk.disk + disk_at::part + 4, 4, 4);
  const Disk found = disks_of(guest).at(0);
  CHECK(found.reads_begun == 3);
  CHECK(found.writes_begun == 4);
}

TEST_CASE("disks: a queue that was stopped") {
  OneDisk guest;
  CHECK(guest.one().quiesced == 0);
  guest.write(guest.made.queue + queue_at::quiesced, 2, 4);
  guest.write(guest.made.queue + queue_at::frozen, 1, 4);
  CHECK(guest.one().quiesced == 2);
  CHECK(guest.one().queue_frozen == 1);
}

TEST_CASE("disks: a suspended device of dm, if it is one") {
  StorageGuest guest;
  const auto made = guest.disk("dm-0");
  const GuestVirtual mapped = guest.allocate(32);
  guest.write(made.disk + disk_at::own, mapped);
  const auto is_suspended = [&] { return disks_of(guest).at(0).is_suspended; };
  SECTION("whose types are not known") {
    CHECK_FALSE(is_suspended());
  }
  SECTION("whose types are") {
    guest.type("mapped_device", 32, {{"flags", 0}, {"disk", 8}});
    CHECK_FALSE(is_suspended());  // it does not lead back
    guest.write(mapped + 8, made.disk);
    CHECK(is_suspended() == false);
    guest.write(mapped, 2);
    CHECK(is_suspended() == true);
    guest.write_text(made.disk + disk_at::name, "loop0");
    CHECK_FALSE(is_suspended());
  }
}

TEST_CASE("disks: without types or file systems there are none") {
  TaskGuest guest;
  const Cpus cpus = guest.cpus();
  CHECK_FALSE(read_disks(guest.kernel(), guest.types(), cpus, guest.diagnostics()));
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("disks: that the list of block devices is damaged is said, and none is another thing") {
  StorageGuest guest;
  const Cpus cpus = guest.cpus();
  const auto read = [&] {
    return read_disks(guest.kernel(), guest.types(), cpus, guest.diagnostics());
  };
  const GuestVirtual head = guest.devices + super_block_at::inodes;
  const std::string damaged = "the list of block devices is damaged: ";
  CHECK(read()->empty());
  CHECK(guest.diagnostics().warnings().empty());
  guest.disk("sda");
  guest.disk("sdb");
  SECTION("where it begins: there is no list") {
    guest.write(head, 0x1234);
    guest.write(head + 8, 0x5678);
    CHECK_FALSE(read());
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK(guest.diagnostics().warnings()[0] ==
          damaged + hex(head) + " leads to 0x1234, which does not lead back: some may be missing");
  }
  SECTION("in one direction: the other has them") {
    guest.write(head, 0x1234);
    CHECK(read()->size() == 2);
    CHECK(guest.diagnostics().warnings().size() == 1);
  }
  SECTION("or is not to be found among file systems that are there") {
    guest.write(guest.devices + super_block_at::type, 0);
    CHECK_FALSE(read());
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK(guest.diagnostics().warnings()[0] ==
          damaged + "the list of file systems has none of the type bdev: some may be missing");
  }
}

TEST_CASE("disks: a kernel without the types of block devices has none if it has no list of them") {
  StorageGuest guest;
  const Cpus cpus = guest.cpus();
  const auto read = [&] {
    return read_disks(guest.kernel(), guest.types(), cpus, guest.diagnostics());
  };
  guest.type("bdev_inode", 16, {});
  CHECK_FALSE(read());
  guest.write(guest.devices + super_block_at::type, 0);
  REQUIRE(read());
  CHECK(read()->empty());
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("disks: that a list of a disk's requests is damaged is said, until 4.20") {
  StorageGuest guest("4.19.97");
  guest.type("request_queue", queue_at::size, {{"timeout_list", queue_at::timeouts, 16}});
  guest.type("request", request_at::size, {{"timeout_list", 0, 16}});
  const auto made = guest.disk("sda");
  CHECK(disks_of(guest).size() == 1);
  CHECK(guest.diagnostics().warnings().empty());
  guest.write(made.queue + queue_at::timeouts, 0x1234);
  CHECK(disks_of(guest).size() == 1);
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK_THAT(guest.diagnostics().warnings()[0],
             Catch::StartsWith("a list of requests to disks is damaged, of the queue at " +
                               hex(made.queue) + ": "));
}

}  // namespace photon_dmesg::test
