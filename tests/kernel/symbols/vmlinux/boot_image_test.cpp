#include "kernel/symbols/vmlinux/boot_image.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/banner.h"
#include "kernel/symbols/vmlinux/boot_payload.h"
#include "support/archive_packer.h"
#include "support/boot_image_builder.h"
#include "support/errors.h"
#include "support/gzip_writer.h"

namespace photon_dmesg::test {
namespace {

std::string types() {
  const ElfImage kernel{std::filesystem::path(TYPES_BTF_KERNEL)};
  return as_text(kernel.read(kernel.find_section(".BTF")->range));
}

std::unique_ptr<BootImage> load(const std::string& bytes) {
  CollectedDiagnostics diagnostics;
  const BufferSource source("vmlinuz", as_bytes(bytes));
  auto image = BootImage::load(source, diagnostics);
  CHECK(diagnostics.warnings().empty());
  return image;
}

void check_refused(const std::string& bytes, const std::string& message) {
  check_fails(Failure::UnusableInput, message, [&] { (void)load(bytes); });
}

}  // namespace

TEST_CASE("BootImage: whatever packed it, its kernel tells of itself") {
  const BootKernel kernel{.types = types()};
  const std::string elf = kernel.elf();
  const auto packed = [&](int (*filter)(archive*)) {
    return with_size(pack(elf, filter), elf.size());
  };
  for (const auto& payload :
       {gzip(elf), packed(archive_write_add_filter_zstd), packed(archive_write_add_filter_xz),
        packed(archive_write_add_filter_bzip2), packed(archive_write_add_filter_lzma),
        with_size(lz4_stored(elf), elf.size())}) {
    const auto image = load(boot_image(payload));
    CHECK(image->find_symbol("prb") == BootKernel::read_only + 0x200000);
    CHECK(image->find_symbol("function_7") == BootKernel::text + 7 * 0x40);
    CHECK_FALSE(image->find_symbol("absent"));
    const auto place = image->find_place(BootKernel::text + 7 * 0x40 + 5);
    REQUIRE(place);
    CHECK(place->name == "function_7");
    CHECK(place->offset == 5);
    CHECK(banner_of(*image)->release == "6.1.10-1.ph5");
    CHECK(image->build_id() == "123456");
    CHECK(image->structure("shapes").size() > 0);
    CHECK(image->find_struct("absent") == nullptr);
    CHECK(image->name() == "vmlinuz");
  }
}

TEST_CASE("BootImage: every version's table of symbols is read") {
  for (const KallsymsForm& form : kallsyms_forms) {
    CAPTURE(form.versions);
    const BootKernel kernel{.form = form};
    const auto image = load(kernel.image());
    const std::vector<KallsymsSample> symbols = kernel.symbols();
    std::size_t count = 0;
    image->for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
      REQUIRE(count < symbols.size());
      const KallsymsSample& expected = symbols[count++];
      REQUIRE(name == expected.name);
      REQUIRE(address.value == expected.address);
    });
    CHECK(count == symbols.size());
  }
}

TEST_CASE("BootImage: one of functions alone has no banner, and one without BTF no types") {
  const auto image = load(BootKernel{.has_variables = false}.image());
  CHECK_FALSE(image->banner_bytes());
  CHECK(image->find_symbol("function_7"));
  CHECK(image->find_struct("shapes") == nullptr);
}

TEST_CASE("BootImage: the payload begins behind as many sectors as the header says") {
  const std::string payload = gzip(BootKernel().elf());
  for (const int sectors : {0, 1, 39, 255}) {
    CHECK(load(boot_image(payload, static_cast<std::uint8_t>(sectors)))->find_symbol("prb"));
  }
}

TEST_CASE("BootImage: what is no boot image is not taken for one") {
  const std::string image = BootKernel().image();
  const auto is_one = [](const std::string& bytes) {
    return is_boot_image(BufferSource("file", as_bytes(bytes)));
  };
  CHECK(is_one(image));
  CHECK_FALSE(is_one(image.substr(0, 0x24f)));
  for (const std::size_t mark : {0x1feU, 0x202U}) {
    std::string other = image;
    other[mark] = 'x';
    CHECK_FALSE(is_one(other));
  }
}

TEST_CASE("BootImage: a payload that leaves the file is refused, wherever it was cut") {
  const std::string whole = BootKernel().image();
  for (std::size_t length = 0x250; length + 256 < whole.size(); length += 97) {
    CAPTURE(length);
    check_refused(whole.substr(0, length), "vmlinuz: truncated: expected a payload of");
  }
  std::string none = whole;
  none.replace(0x24c, 4, little_endian(7, 4));
  check_refused(none, "vmlinuz: truncated: expected a payload of 7 bytes");
  std::string far_away = whole;
  far_away.replace(0x248, 8, little_endian(0xffffffffffffffff, 8));
  check_refused(far_away, "vmlinuz: truncated: expected a payload of 4294967295 bytes");
}

TEST_CASE(
    "BootImage: a payload that unpacks to other than it says is refused, and kept no longer") {
  const std::string zeros(std::size_t{64} << 20, '\0');
  const std::string bomb = pack(zeros, archive_write_add_filter_zstd);
  REQUIRE(bomb.size() < 100'000);
  check_refused(boot_image(with_size(bomb, 4096)),
                "vmlinuz: damaged: expected 4096 bytes unpacked, found more");
  check_refused(boot_image(with_size(bomb, zeros.size() + 1)),
                "vmlinuz: damaged: expected 67108865 bytes unpacked, found 67108864");
  check_refused(boot_image(with_size(bomb, 0xffffffff)),
                "vmlinuz: expected a kernel of at most 268435456 bytes unpacked, found 4294967295");
}

TEST_CASE("BootImage: how it is packed is named if that is not known") {
  const auto refused = [](const std::string& packed) {
    return std::string(error_of([&] { (void)load(boot_image(with_size(packed, 4096))); }).what());
  };
  CHECK_THAT(refused("\x89LZO\0\r\n\x1a\n"), Catch::Contains(R"(or lz4, found "lzo")"));
  CHECK_THAT(refused("something"), Catch::Contains(R"(or lz4, found "0x656d6f73")"));
  CHECK_THAT(refused(gzip("damaged").substr(0, 12)), Catch::StartsWith("vmlinuz: "));
}

TEST_CASE("BootImage: a header from before the payload had a place in it is refused") {
  check_refused(boot_image(gzip(BootKernel().elf()), 3, 0x207),
                "vmlinuz: expected boot protocol 0x208 or later, found 0x207");
}

TEST_CASE("BootImage: a payload without a kernel or its table of symbols is refused") {
  check_refused(boot_image(gzip(std::string(4096, 'x'))), "vmlinuz: expected an ELF file");
  check_refused(BootKernel{.has_table = false}.image(),
                "vmlinuz: expected the kernel's own table of symbols (kallsyms), found none");
  check_refused(BootKernel{.banner = "no banner"}.image(), "(kallsyms), found none");
}

TEST_CASE("BootImage: a flipped bit ends in an Error or in symbols, never in a crash") {
  const std::string whole = BootKernel{.types = types()}.elf();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 64 ? 1 : 2503) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    try {
      CollectedDiagnostics diagnostics;
      const std::string bytes = stored_boot_image(damaged);
      (void)BootImage::load(BufferSource("vmlinuz", as_bytes(bytes)), diagnostics)
          ->find_symbol("x");
    } catch (const Error& error) {
      CHECK(error.failure() == Failure::UnusableInput);
      ++refused;
    }
  }
  CHECK(refused > 10);
}

}  // namespace photon_dmesg::test
