#include "kernel/storage/scsi.h"

#include <catch2/catch.hpp>

#include "support/storage_guest.h"

namespace photon_dmesg::test {
namespace {

// A disk behind an adapter.
struct Scsi : StorageGuest {
  MadeDisk made = disk("sda");
  GuestVirtual device = allocate(32);
  GuestVirtual host = allocate(128);
  GuestVirtual driver = allocate(32);
  GuestVirtual rings = allocate(32);

  Scsi() {
    type("scsi_device", 32, {{"host", 0}, {"request_queue", 8}});
    type("Scsi_Host", 128,
         {{"hostt", 0},
          {"host_no", 8, 4},
          {"shost_state", 12, 4},
          {"host_failed", 16, 4},
          {"host_busy", 20, 4},
          {"ehandler", 24},
          {"hostdata", 64, 0}});
    type("scsi_host_template", 32, {{"name", 0}, {"proc_name", 8}});
    type("pvscsi_adapter", 32, {{"rings_state", 24}});
    write(made.queue + queue_at::own, device);
    write(device, host);
    write(device + 8, made.queue);
    write(host, driver);
    write(driver + 8, text("vmw_pvscsi"));
    write(host + 8, 2, 4);
    write(host + 12, 5, 4);
    write(host + 16, 3, 4);
    write(host + 24, 0x1000);
    write(host + 64 + 24, rings);
    write_words(rings, {std::uint64_t{17} << 32 | 20, std::uint64_t{15} << 32 | 7, 14});
  }

  std::optional<ScsiHost> read() { return read_scsi_host(kernel(), types(), made.queue); }
};

}  // namespace

TEST_CASE("scsi: the adapter of a disk, its error handler and what is in its rings") {
  Scsi scsi;
  const auto host = scsi.read();
  REQUIRE(host);
  CHECK(host->address == scsi.host);
  CHECK(host->number == 2U);
  CHECK(host->driver == "vmw_pvscsi");
  CHECK(name_of_scsi_state(host->state.value()) == "recovery");
  CHECK(host->failed == 3U);
  CHECK(host->busy == 0U);
  CHECK(host->error_handler == GuestVirtual{0x1000});
  REQUIRE(host->rings);
  CHECK(host->rings->address == scsi.rings);
  CHECK(host->rings->requests_made == 20);
  CHECK(host->rings->requests_taken == 17);
  CHECK(host->rings->answers_made == 15);
  CHECK(host->rings->answers_taken == 14);
}

TEST_CASE("scsi: how often a command was given to the disk anew") {
  Scsi scsi;
  const auto tags = scsi.tags(2);
  const GuestVirtual request = StorageGuest::request(tags, 0);
  const auto tries = [&] { return read_scsi_tries(scsi.kernel().memory(), scsi.types(), request); };
  scsi.type("scsi_cmnd", 32, {{"retries", 0, 4}, {"allowed", 4, 4}, {"request", 8}});
  scsi.write_words(request + request_at::size, {std::uint64_t{5} << 32 | 2, request.value});
  REQUIRE(tries());
  CHECK(tries()->again == 2);
  CHECK(tries()->most == 5);
  // Another request's, or no command at all.
  scsi.write(request + request_at::size + 8, request + 64);
  CHECK_FALSE(tries());
}

TEST_CASE("scsi: another driver has no such rings") {
  Scsi scsi;
  scsi.write(scsi.driver + 8, scsi.text("mptspi"));
  const auto host = scsi.read();
  REQUIRE(host);
  CHECK(host->driver == "mptspi");
  CHECK_FALSE(host->rings);
}

TEST_CASE("scsi: what belongs to another kind of disk is no SCSI device") {
  Scsi scsi;
  scsi.write(scsi.device + 8, scsi.made.queue + 64);
  CHECK_FALSE(scsi.read());
  scsi.write(scsi.made.queue + queue_at::own, 0);
  CHECK_FALSE(scsi.read());
}

TEST_CASE("scsi: states have the kernel's names") {
  CHECK(name_of_scsi_state(2) == "running");
  CHECK(name_of_scsi_state(7) == "deleted recovery");
  CHECK(name_of_scsi_state(0) == "state 0");
  CHECK(name_of_scsi_state(8) == "state 8");
}

}  // namespace photon_dmesg::test
