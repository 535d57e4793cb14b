// A checkpoint that is cut at every byte, and of which a bit in every byte is flipped. The table is
// that of docs/reliability.md; `unit-tests "[.tables]"` prints it.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <iostream>

#include "base/error.h"
#include "damage/sweep.h"
#include "kernel/printk/kernel_log.h"
#include "session/session.h"
#include "support/file_content.h"
#include "support/guest_on_disk.h"
#include "support/ring_writer.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t page = 4096;

// A small guest's files: page tables in the first region of its memory, the kernel in the second.
class SmallGuest {
 public:
  SmallGuest() {
    FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
    RingWriter ring(guest);
    for (int i = 0; i < 9; ++i) ring.store(fmt::format("record {}", i));
    ring.publish();
    const std::vector<Region> regions = {{0, 0, 0x200}, {0x3000, 0x200, 0x400}};
    std::string memory;
    for (const Region& region : regions) {
      std::string bytes(region.pages * page, '\0');
      (void)guest.memory().read(GuestPhysical{region.ppn * page},
                                std::as_writable_bytes(std::span(bytes)));
      memory += bytes;
    }
    (void)folder_.write("vm.vmem", memory);
    const std::string cpu = vcpu_tags(guest.vcpu());
    const std::string regions_group = region_tags(regions) + inline_tag("align_mask", {0}, 0xfff);
    checkpoint_ = checkpoint_file({{"cpu", cpu}, {"memory", regions_group}});
    memory_begin_ = checkpoint_.size() - regions_group.size() - 2;
    cpu_begin_ = memory_begin_ - cpu.size() - 2;
  }

  [[nodiscard]] const std::string& checkpoint() const { return checkpoint_; }
  [[nodiscard]] std::size_t cpu_begin() const { return cpu_begin_; }
  [[nodiscard]] std::size_t memory_begin() const { return memory_begin_; }

  // What the program says of the guest by that checkpoint.
  [[nodiscard]] Answer read(const std::string& checkpoint) const {
    CollectedDiagnostics diagnostics;
    Answer answer;
    try {
      const std::filesystem::path file = folder_.write("vm.vmss", checkpoint);
      Guest guest = session::open({PRINTK_RINGBUFFER_KERNEL, file.string()}, options_, diagnostics);
      const KernelLogReader reader = session::open_log(guest, diagnostics);
      const KernelLog log = reader.read([&](LogRecord record) {
        answer.records.push_back(std::move(record));
        return true;
      });
      answer.said = !log.losses.empty() || !log.doubts.empty() || answer.records.empty() ||
                    !diagnostics.warnings().empty();
    } catch (const Error&) {
      answer.refused = true;
    }
    return answer;
  }

 private:
  TemporaryFolder folder_;
  session::Options options_{
      .use_cache = false, .verify_packages = true, .strict = false, .keys = {}};
  std::string checkpoint_;
  std::size_t cpu_begin_ = 0;
  std::size_t memory_begin_ = 0;
};

Outcome flip(const SmallGuest& guest, const Answer& right, const std::string& what,
             std::size_t begin, std::size_t end) {
  Outcome outcome;
  outcome.what = what;
  for (std::size_t at = begin; at < end; ++at) {
    std::string damaged = guest.checkpoint();
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << (at % 8));
    judge(right, guest.read(damaged), false, outcome);
  }
  return outcome;
}

std::vector<Outcome> sweep_checkpoint() {
  const SmallGuest guest;
  const Answer right = guest.read(guest.checkpoint());
  REQUIRE(right.records.size() == 9);
  REQUIRE_FALSE(right.said);
  Outcome cut;
  cut.what = "cut, at every byte";
  for (std::size_t size = 0; size < guest.checkpoint().size(); ++size) {
    judge(right, guest.read(guest.checkpoint().substr(0, size)), false, cut);
  }
  return {cut, flip(guest, right, "header and table of groups", 0, guest.cpu_begin()),
          flip(guest, right, "tags of the group `cpu`", guest.cpu_begin(), guest.memory_begin()),
          flip(guest, right, "tags of the group `memory`", guest.memory_begin(),
               guest.checkpoint().size())};
}

std::string section_of(const std::vector<Outcome>& outcomes) {
  return "### A checkpoint with its memory beside it\n\n" + to_table(outcomes);
}

}  // namespace

TEST_CASE("damage: the checkpoint's table", "[.tables]") {
  std::cout << section_of(sweep_checkpoint()) << '\n';
}

TEST_CASE("damage: no damaged byte of a checkpoint is wrong in silence") {
  const std::vector<Outcome> outcomes = sweep_checkpoint();
  for (const Outcome& row : outcomes) {
    CAPTURE(row.what);
    CHECK(row.silent == 0);
  }
  const std::string section = section_of(outcomes);
  INFO("expected in docs/reliability.md:\n" << section);
  CHECK(file_content(std::filesystem::path(SOURCE_FOLDER) / "docs/reliability.md").find(section) !=
        std::string::npos);
}

}  // namespace photon_dmesg::test
