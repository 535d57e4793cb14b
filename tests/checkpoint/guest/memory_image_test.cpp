#include "checkpoint/guest/memory_image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t page = 4096;

// A disk with bad blocks.
class BadDisk final : public ByteSource {
 public:
  BadDisk(std::uint64_t size, std::vector<std::uint64_t> bad_pages)
      : size_(size), bad_pages_(std::move(bad_pages)) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override {
    for (const std::uint64_t bad : bad_pages_) {
      if (bad * page < offset + target.size() && offset < (bad + 1) * page) {
        throw unusable("vm.vmem: Input/output error");
      }
    }
    std::fill(target.begin(), target.end(), std::byte{1});
  }

  std::string name_ = "vm.vmem";
  std::uint64_t size_;
  std::vector<std::uint64_t> bad_pages_;
};

}  // namespace

TEST_CASE("MemoryImage: a page that can't be read is none, and is said with its reason") {
  const BadDisk disk(16 * page, {5, 9});
  const MemoryImage image(disk, 0, MemoryLayout({}, disk.size()));
  std::vector<std::byte> bytes(16 * page);
  const auto read = [&](std::uint64_t at, std::uint64_t size) {
    return image.read({at}, std::span(bytes).first(size));
  };
  CHECK(read(0, 5 * page));
  CHECK_FALSE(image.unreadable());
  CHECK_FALSE(read(4 * page, 2 * page));
  CHECK(image.unreadable() == "the page at physical 0x5000: vm.vmem: Input/output error");
  CHECK_FALSE(read(5 * page + 8, 8));
  CHECK(read(4 * page, page));
  CHECK(read(6 * page, page));
  CHECK_FALSE(read(0, 16 * page));
  CHECK_FALSE(read(8 * page, 4 * page));
  CHECK(image.unreadable() ==
        "the page at physical 0x5000 and 1 more: vm.vmem: Input/output error");
}

TEST_CASE(
    "MemoryImage: of many pages that can't be read, the first is said and the others counted") {
  const BadDisk disk(16 * page, {5, 9, 10});
  const MemoryImage image(disk, 0, MemoryLayout({}, disk.size()));
  std::vector<std::byte> bytes(16 * page);
  CHECK_FALSE(image.read({0}, bytes));
  CHECK(image.unreadable() ==
        "the page at physical 0x5000 and 2 more: vm.vmem: Input/output error");
}

}  // namespace photon_dmesg::test
