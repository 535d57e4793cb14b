#include "kernel/memory/kernel_memory.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t base = 0xffffffff81000000;

// Two pages side by side that lie far apart and in the other order; the third is not mapped, the
// fourth leads to no RAM.
struct Scattered {
  Scattered() : builder(memory, {0x10000}, PagingLevels::Four) {
    builder.map({base}, {0x6000});
    builder.map({base + 0x1000}, {0x5000});
    builder.map({base + 0x3000}, {0x80000000});
    memory.write_text({0x6ffc}, "abcd");
    memory.write_text({0x5000}, "efgh");
  }

  FakeMemory memory{0x40000};
  PageTableBuilder builder;
};

std::optional<std::string> read(const KernelMemory& memory, std::uint64_t address,
                                std::size_t size) {
  std::string text(size, '\0');
  const bool done = memory.read({address}, std::as_writable_bytes(std::span(text)));
  return done ? std::optional(text) : std::nullopt;
}

}  // namespace

TEST_CASE("KernelMemory: a read follows the page tables across pages") {
  const Scattered scattered;
  const KernelMemory memory(scattered.memory, scattered.builder.tables());
  CHECK(read(memory, base + 0xffc, 8) == "abcdefgh");
  CHECK(read(memory, base + 0xffe, 2) == "cd");
  CHECK(memory.translate({base + 0x1002}) == GuestPhysical{0x5002});
}

TEST_CASE("KernelMemory: a read that leaves what is mapped, or RAM, fails as a whole") {
  const Scattered scattered;
  const KernelMemory memory(scattered.memory, scattered.builder.tables());
  CHECK(read(memory, base + 0x1ff8, 8));
  CHECK_FALSE(read(memory, base + 0x1ff8, 9));
  CHECK_FALSE(read(memory, base + 0x2000, 1));
  CHECK_FALSE(read(memory, base + 0x3000, 1));
  CHECK_FALSE(read(memory, 0xfffffffffffffff8, 16));
}

TEST_CASE("KernelMemory: remembered translations are those of their own page") {
  // 64 pages apart share a slot of the cache.
  Scattered scattered;
  scattered.builder.map({base + 64 * 0x1000}, {0x7000});
  scattered.memory.write_text({0x7000}, "else");
  scattered.memory.write_text({0x6000}, "here");
  const KernelMemory memory(scattered.memory, scattered.builder.tables());
  for (int i = 0; i < 3; ++i) {
    CHECK(read(memory, base, 4) == "here");
    CHECK(read(memory, base + 64 * 0x1000, 4) == "else");
    CHECK_FALSE(read(memory, base + 128 * 0x1000, 4));
  }
}

TEST_CASE("KernelMemory: pages that follow each other in RAM too are one read") {
  // Counts its reads.
  class CountedMemory final : public GuestMemory {
   public:
    explicit CountedMemory(const GuestMemory& memory) : memory_(memory) {}
    [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
      sizes.push_back(target.size());
      return memory_.read(address, target);
    }
    [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
      return memory_.ranges();
    }
    [[nodiscard]] const std::string& name() const override { return memory_.name(); }

    mutable std::vector<std::size_t> sizes;

   private:
    const GuestMemory& memory_;
  };

  FakeMemory ram(0x40000);
  PageTableBuilder builder(ram, {0x10000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < 0x3000; at += 0x1000) builder.map({base + at}, {0x5000 + at});
  builder.map({base + 0x3000}, {0xa000});
  ram.write_text({0x5ffe}, "abcd");
  ram.write_text({0x7ffe}, "ef");
  ram.write_text({0xa000}, "gh");
  const CountedMemory counted(ram);
  const KernelMemory memory(counted, builder.tables());
  const auto text = read(memory, base + 0xffe, 0x2004);
  REQUIRE(text);
  CHECK(text->substr(0, 4) == "abcd");
  CHECK(text->substr(0x2000) == "efgh");
  CHECK(std::count(counted.sizes.begin(), counted.sizes.end(), 0x2002) == 1);
  CHECK(counted.sizes.back() == 2);
}

TEST_CASE("KernelMemory: numbers of 1 to 8 bytes, little-endian") {
  const Scattered scattered;
  const KernelMemory memory(scattered.memory, scattered.builder.tables());
  CHECK(memory.read_unsigned({base + 0xffc}, 8) == 0x6867666564636261);
  CHECK(memory.read_unsigned({base + 0xffc}, 3) == 0x636261U);
  CHECK_FALSE(memory.read_unsigned({base + 0x1ffc}, 8));
}

TEST_CASE("KernelMemory: a text is no longer than a kernel's, whatever length is claimed") {
  FakeMemory ram(0x40000);
  PageTableBuilder builder(ram, {0x10000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < KernelMemory::longest_text; at += 0x1000) {
    builder.map({base + at}, {0x5000});
  }
  ram.write_text({0x5000}, std::string(0x1000, 'x'));
  const KernelMemory memory(ram, builder.tables());
  const auto text = memory.read_text({base}, std::size_t{1} << 60);
  REQUIRE(text);
  CHECK(text->size() == KernelMemory::longest_text);
  CHECK_FALSE(memory.read_text({base + 0x1000}, std::size_t{1} << 60));
}

}  // namespace photon_dmesg::test
