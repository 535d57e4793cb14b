#include "kernel/health/memory_use.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg {
namespace {

using test::TaskGuest;

TEST_CASE("Free and total pages are the kernel's own counters") {
  TaskGuest guest;
  guest.write(guest.variable("_totalram_pages"), 100'000);
  guest.write(guest.variable("vm_zone_stat"), 25'000);
  const MemoryUse use = read_memory_use(guest.kernel(), guest.types(), guest.cpus());
  CHECK(use.total_pages->value == 100'000);
  CHECK(use.free_pages->value == 25'000);
  CHECK(use.page_bytes == 4096);
  CHECK(use.mib(25'000) == 97);
  CHECK_FALSE(use.oom_kills);
  CHECK_FALSE(use.load);
}

TEST_CASE("Before 5.0 and 4.8 they had other names") {
  TaskGuest guest("4.4.8");
  guest.write(guest.variable("totalram_pages"), 100'000);
  guest.write(guest.variable("vm_stat"), 25'000);
  const MemoryUse use = read_memory_use(guest.kernel(), guest.types(), guest.cpus());
  CHECK(use.total_pages->value == 100'000);
  CHECK(use.free_pages->value == 25'000);
}

TEST_CASE("Kills for want of memory are counted over all CPUs, by the names of /proc/vmstat") {
  TaskGuest guest;
  const GuestVirtual names = guest.variable("vmstat_text", 64);
  std::uint64_t index = 0;
  for (const char* name : {"nr_free_pages", "pgpgin", "pgpgout", "oom_kill", "numa"}) {
    const GuestVirtual text = guest.allocate(32);
    guest.write_text(text, name);
    guest.write(names + index++ * 8, text);
  }
  const GuestVirtual offsets = guest.variable("__per_cpu_offset");
  guest.write(offsets + 8, 0x1000);
  guest.write(guest.variable("nr_cpu_ids"), 2, 4);
  guest.write(guest.variable("__cpu_present_mask"), 3, 1);
  const GuestVirtual events = guest.variable("vm_event_states", 0x2000);
  guest.write(events + 16, 5);
  guest.write(events + 0x1000 + 16, static_cast<std::uint64_t>(-2));
  CHECK(read_memory_use(guest.kernel(), guest.types(), guest.cpus(2)).oom_kills == 3U);
}

TEST_CASE("Zones say how near they are to their watermarks, those without pages are none") {
  TaskGuest guest;
  guest.type("pglist_data", 2048, {{"node_zones", 0, 1024, "zone"}, {"nr_zones", 1024, 4}});
  guest.type("zone", 256,
             {{"_watermark", 0, 32}, {"managed_pages", 40}, {"name", 48}, {"vm_stat", 64, 80}});
  const GuestVirtual node = guest.variable("contig_page_data", 2048);
  const GuestVirtual name = guest.allocate(32);
  guest.write_text(name, "Normal");
  guest.write(node + 1024, 2, 4);
  guest.write_words(node, {1000, 1250, 1500});
  guest.write(node + 40, 50'000);
  guest.write(node + 48, name);
  guest.write(node + 64, 700);
  const MemoryUse use = read_memory_use(guest.kernel(), guest.types(), guest.cpus());
  REQUIRE(use.zones.size() == 1);
  CHECK(use.zones[0].name == "Normal");
  CHECK(use.zones[0].free_pages == 700);
  CHECK(use.zones[0].watermarks == std::array<std::uint64_t, 3>{1000, 1250, 1500});
  CHECK(use.zones[0].reserve == 0);  // the types don't tell
  CHECK(use.zones[0].is_exhausted());
}

TEST_CASE("A zone keeps pages from whom the highest zone that has some could have served") {
  TaskGuest guest;
  guest.type("pglist_data", 2048, {{"node_zones", 0, 1024, "zone"}, {"nr_zones", 1024, 4}});
  guest.type("zone", 256,
             {{"_watermark", 0, 32},
              {"managed_pages", 40},
              {"name", 48},
              {"vm_stat", 64, 80},
              {"lowmem_reserve", 160, 32}});
  const GuestVirtual node = guest.variable("contig_page_data", 2048);
  const GuestVirtual name = guest.allocate(32);
  guest.write_text(name, "DMA");
  guest.write(node + 1024, 4, 4);
  for (const std::uint64_t i : {0U, 1U}) {  // of four
    const GuestVirtual zone = node + i * 256;
    guest.write_words(zone, {22, 27, 32});
    guest.write(zone + 40, 3840);
    guest.write(zone + 48, name);
    guest.write(zone + 64, 440);
  }
  guest.write_words(node + 160, {1, 420, 2, 3});
  const MemoryUse use = read_memory_use(guest.kernel(), guest.types(), guest.cpus());
  REQUIRE(use.zones.size() == 2);
  CHECK(use.zones[0].reserve == 420);
  CHECK(use.zones[0].is_exhausted());
  CHECK(use.zones[1].reserve == 0);
  CHECK_FALSE(use.zones[1].is_exhausted());
}

}  // namespace
}  // namespace photon_dmesg
