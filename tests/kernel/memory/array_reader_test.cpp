#include "kernel/memory/array_reader.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/little_endian.h"
#include "support/bytes.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t base = 0xffffffff81000000;
constexpr std::uint64_t size = 24;  // does not divide a page
constexpr std::uint64_t count = 1000;

// Elements that hold their number, on six pages of which the third is not mapped.
struct Array {
  Array() : builder(memory, {0x10000}, PagingLevels::Four) {
    for (std::uint64_t page = 0; page < 6; ++page) {
      if (page != 2) builder.map({base + page * 0x1000}, {0x20000 + page * 0x1000});
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      memory.write_text({0x20000 + i * size}, little_endian(i, 8));
    }
  }

  FakeMemory memory{0x40000};
  PageTableBuilder builder;
};

// Counts how often it is read.
class CountingMemory final : public GuestMemory {
 public:
  explicit CountingMemory(const FakeMemory& memory) : memory_(memory) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    ++reads_;
    return memory_.read(address, target);
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return memory_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }
  [[nodiscard]] std::uint64_t reads() const { return reads_; }

 private:
  const FakeMemory& memory_;
  mutable std::uint64_t reads_ = 0;
};

std::optional<std::uint64_t> number(ArrayReader& reader, std::uint64_t index) {
  const auto bytes = reader.element(index);
  if (!bytes) return std::nullopt;
  REQUIRE(bytes->size() == size);
  return load_unsigned(bytes->first(8));
}

bool is_mapped(std::uint64_t index) {
  return index * size + size <= 0x2000 || index * size >= 0x3000;
}

}  // namespace

TEST_CASE("ArrayReader: each element in any order, and of those beside a hole all that are there") {
  const Array array;
  const KernelMemory memory(array.memory, array.builder.tables());
  for (const std::uint64_t step : {1U, 7U, 339U, 999U}) {
    ArrayReader reader(memory, {base}, count, size);
    for (std::uint64_t i = 0, index = 0; i < count; ++i, index = (index + step) % count) {
      CAPTURE(step, index);
      const auto expected = is_mapped(index) ? std::optional(index) : std::nullopt;
      REQUIRE(number(reader, index) == expected);
    }
  }
}

TEST_CASE("ArrayReader: nothing behind the last element is asked for") {
  const Array array;
  const KernelMemory memory(array.memory, array.builder.tables());
  // Behind it nothing is mapped.
  ArrayReader reader(memory, {base + 0x6000 - 3 * size}, 3, size);
  CHECK(reader.element(0));
  CHECK(reader.element(2));
}

TEST_CASE("ArrayReader: what lies on a page that can't be read is passed over at once") {
  constexpr std::uint64_t many = 100'000;
  const Array array;
  const CountingMemory counting(array.memory);
  const KernelMemory memory(
      counting, x86_64::page_tables(counting, array.builder.root(), PagingLevels::Four));
  ArrayReader reader(memory, {base + 0x6000}, many, size);
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < many; ++i) found += reader.element(i) ? 1 : 0;
  CHECK(found == 0);
  CHECK(counting.reads() < many);  // a page's place is looked for in four tables
}

TEST_CASE("ArrayReader: elements larger than what is read at once are read one by one") {
  const Array array;
  const KernelMemory memory(array.memory, array.builder.tables());
  ArrayReader reader(memory, {base + 0x3000}, 1, 0x1800);
  REQUIRE(reader.element(0));
  CHECK(reader.element(0)->size() == 0x1800);
}

}  // namespace photon_dmesg::test
