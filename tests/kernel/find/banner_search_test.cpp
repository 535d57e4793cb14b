#include "kernel/find/banner_search.h"

#include <catch2/catch.hpp>
#include <string>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

const std::string photon =
    "Linux version 4.4.8 (root@photon) (gcc version 5.3.0 (GCC) ) #1-photon SMP Fri Apr 22 2016\n";

std::vector<FoundBanner> banners_of(const FakeMemory& memory, const PageTableBuilder& builder,
                                    BannerExtent extent = BannerExtent::All) {
  CollectedDiagnostics diagnostics;
  auto found = find_banners(KernelImage(memory, builder.tables()), extent, diagnostics);
  CHECK(diagnostics.warnings().empty());
  return found;
}

}  // namespace

TEST_CASE("find_banners: in the read-only data first, across pages, all of them") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  constexpr std::uint64_t base = 0xffffffff81000000;
  const std::uint64_t read_only = pte_present | pte_no_execute;
  builder.map({base}, {0x2000});  // writable: not to be looked at while there are others
  builder.map({base + 0x1000}, {0x5000}, 1, read_only);
  builder.map({base + 0x2000}, {0x3000}, 1, read_only);
  const std::string text = photon + '\0';
  memory.write_text({0x2100}, "Linux version 9.9.9 (copy@writable) #1\n" + std::string(1, '\0'));
  memory.write_text({0x5000 + 0x1000 - 20}, text.substr(0, 20));
  memory.write_text({0x3000}, text.substr(20));
  memory.write_text({0x3800}, "Linux version 4.4.8 (root@photon) # SMP\n" + std::string(1, '\0'));
  const std::vector<FoundBanner> found = banners_of(memory, builder);
  REQUIRE(found.size() == 2);
  CHECK(found[0].address == GuestVirtual{base + 0x2000 - 20});
  CHECK(found[0].banner.release == "4.4.8");
  CHECK(found[1].address == GuestVirtual{base + 0x2800});
}

TEST_CASE("find_banners: up to the first with a build number, where that is enough") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  constexpr std::uint64_t base = 0xffffffff81000000;
  for (const std::uint64_t page : {0x0U, 0x1000U, 0x3000U})
    builder.map({base + page}, {0x4000 + page});
  const std::string end(1, '\0');
  memory.write_text({0x4000}, "Linux version 4.4.8 (root@photon) (gcc) # SMP\n" + end);
  memory.write_text({0x5000}, photon + end);
  memory.write_text({0x5800}, photon + end);
  memory.write_text({0x7000}, photon + end);  // another range
  const auto found = banners_of(memory, builder, BannerExtent::UpToBuildNumber);
  REQUIRE(found.size() == 2);
  CHECK(found[0].address == GuestVirtual{base});
  CHECK(found[1].address == GuestVirtual{base + 0x1000});
  CHECK(banners_of(memory, builder).size() == 4);
}

TEST_CASE("banner_at: the one that begins there") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  constexpr std::uint64_t base = 0xffffffff81000000;
  builder.map({base}, {0x4000});
  const std::string text = photon + '\0';
  memory.write_text({0x5000 - text.size()}, text);
  const KernelImage image(memory, builder.tables());
  const GuestVirtual address{base + 0x1000 - text.size()};
  REQUIRE(banner_at(image, address));
  CHECK(banner_at(image, address)->release == "4.4.8");
  CHECK_FALSE(banner_at(image, address + 1));
  CHECK_FALSE(banner_at(image, {base - 0x1000}));
  CHECK_FALSE(banner_at(image, {base + 0x1000}));
}

TEST_CASE("find_banners: wherever they stand in an image that comes by in pieces, once each") {
  constexpr std::uint64_t base = 0xffffffff81000000;
  constexpr std::uint64_t size = 0x30000;
  const std::string text = photon + '\0';
  const std::uint64_t border = 0x10000;
  const std::vector<std::uint64_t> places = {
      0,      border - text.size(), border - text.size() / 2, border - 1,
      border, 2 * border - 1,       size - text.size()};
  for (const std::uint64_t at : places) {
    CAPTURE(at);
    FakeMemory memory(0x80000);
    PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
    for (std::uint64_t page = 0; page < size; page += 0x1000) {
      builder.map({base + page}, {0x40000 + page});
    }
    memory.write_text({0x40000 + at}, text);
    const KernelImage image(memory, builder.tables(), KernelImage::Pieces::Forgotten);
    CollectedDiagnostics diagnostics;
    const std::vector<FoundBanner> found = find_banners(image, BannerExtent::All, diagnostics);
    REQUIRE(found.size() == 1);
    CHECK(found[0].address == GuestVirtual{base + at});
    CHECK(found[0].banner.text + '\n' == photon);
  }
}

TEST_CASE("find_banners: in a kernel that does not protect its memory, anywhere in the image") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  builder.map({0xffffffff81000000}, {0x2000});
  memory.write_text({0x2100}, photon + '\0');
  CHECK(banners_of(memory, builder).size() == 1);
}

TEST_CASE("find_banners: a page that leads to no RAM hides nothing behind it") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  builder.map({0xffffffff81000000}, {0x70000000});
  builder.map({0xffffffff81800000}, {0x2000});
  memory.write_text({0x2100}, photon + '\0');
  CHECK(banners_of(memory, builder).size() == 1);
}

TEST_CASE("find_banners: an image full of them has as many as are looked at, and that is said") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  for (std::uint64_t at = 0; at < 4 * 4096; at += 4096) {
    builder.map({0xffffffff81000000 + at}, {0x2000});
  }
  for (std::uint64_t at = 0; at < 4096; at += 32) {
    memory.write_text({0x2000 + at}, "Linux version 6.1 (x\n" + std::string(1, '\0'));
  }
  CollectedDiagnostics diagnostics;
  const KernelImage image(memory, builder.tables());
  CHECK(find_banners(image, BannerExtent::All, diagnostics).size() == 256);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{
            "test memory: more than 256 banners in a kernel's image: the rest is left out"});
}

}  // namespace photon_dmesg::test
