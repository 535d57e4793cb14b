#include "kernel/symbols/vmlinux/packed_sections.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <string>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

template <typename Value>
void write_at(std::string& bytes, std::size_t offset, const Value& value) {
  REQUIRE(offset + sizeof(value) <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

// Where the header of the section with the contents at `range` stands in the file.
std::size_t header_of(const std::string& bytes, FileRange range) {
  Elf64_Ehdr file{};
  std::memcpy(&file, bytes.data(), sizeof(file));
  for (std::size_t i = 0; i < file.e_shnum; ++i) {
    const std::size_t at = file.e_shoff + i * sizeof(Elf64_Shdr);
    Elf64_Shdr header{};
    std::memcpy(&header, bytes.data() + at, sizeof(header));
    if (header.sh_offset == range.offset && header.sh_type == SHT_PROGBITS) return at;
  }
  FAIL("no such section");
  return 0;
}

// A vmlinux whose section `name` says that it unpacks to `size` bytes, and is followed by as many
// zeros as make it `packed` bytes long.
std::string with_section_size(const char* fixture, std::string_view name, std::uint64_t size,
                              std::uint64_t packed = 0) {
  std::string bytes = file_content(fixture);
  const auto section = ElfImage{std::filesystem::path(fixture)}.find_section(name);
  REQUIRE(section);
  REQUIRE(section->compressed);
  std::size_t begin = section->range.offset;
  if (packed > 0) {
    const std::size_t header = header_of(bytes, section->range);
    const std::string content = bytes.substr(begin, section->range.size);
    begin = bytes.size();
    bytes += content;
    bytes.resize(begin + packed);
    write_at(bytes, header + offsetof(Elf64_Shdr, sh_offset), std::uint64_t{begin});
    write_at(bytes, header + offsetof(Elf64_Shdr, sh_size), packed);
  }
  write_at(bytes, begin + offsetof(Elf64_Chdr, ch_size), size);
  return bytes;
}

}  // namespace

TEST_CASE("packed sections: no more is unpacked than debug sections of that size can hold") {
  const TemporaryFolder folder;
  for (const char* fixture : {COMPRESSED_KERNEL, ZSTD_COMPRESSED_KERNEL}) {
    // One that is asked for, and one that libdw unpacks as well.
    for (const char* section : {".debug_info", ".debug_line"}) {
      CAPTURE(fixture, section);
      const auto path =
          folder.write("vmlinux", with_section_size(fixture, section, std::uint64_t{2} << 30));
      const ElfImage image(path);
      check_fails(Failure::UnusableInput, "that is to unpack to 2147483648: expected at most 64",
                  [&] { (void)unpack_debug_sections(image); });
      check_fails(Failure::UnusableInput, "that is to unpack to 2147483648: expected at most 64",
                  [&] { (void)read_debug_section(image, section); });
      CollectedDiagnostics diagnostics;
      CHECK(Vmlinux::open(path, diagnostics)->find_symbol("prb"));
      REQUIRE(diagnostics.warnings().size() == 1);
      CHECK_THAT(diagnostics.warnings().front(),
                 Catch::Contains("its symbols are used without types"));
    }
  }
}

TEST_CASE("packed sections: all of a vmlinux together are bounded") {
  const TemporaryFolder folder;
  constexpr std::uint64_t mebibyte = 1024 * 1024;
  const ElfImage image(folder.write("vmlinux", with_section_size(COMPRESSED_KERNEL, ".debug_info",
                                                                 513 * mebibyte, 9 * mebibyte)));
  check_fails(Failure::UnusableInput, "debug sections that are to unpack to more than 536870912",
              [&] { (void)unpack_debug_sections(image); });
}

}  // namespace photon_dmesg::test
