#include "kernel/symbols/vmlinux/elf_image.h"

#include <elf.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

std::filesystem::path path_of(const char* fixture) {
  return fixture;
}

}  // namespace

TEST_CASE("ElfImage: symbols by name, without those that leave a doubt") {
  const ElfImage image(path_of(DUPLICATE_SYMBOLS_KERNEL));
  CHECK(image.find_symbol("_text") == GuestVirtual{0xffffffff81000000});
  CHECK_FALSE(image.find_symbol("absent"));
  CHECK_FALSE(image.find_symbol(""));
  CHECK_FALSE(image.find_symbol(".text"));
  CHECK_FALSE(image.find_symbol("twice"));                  // two static ones
  const auto prevailing = image.find_symbol("prevailing");  // a global one beside a static one
  REQUIRE(prevailing);
  CHECK(image.initial_data(*prevailing, 1 << 20)[0] == std::byte{3});
}

TEST_CASE("ElfImage: initial data to the end of its section, none of what is only reserved") {
  const ElfImage image(path_of(PRINTK_RINGBUFFER_KERNEL));
  const auto banner = image.initial_data(*image.find_symbol("linux_banner"), 1 << 20);
  CHECK(as_text(banner.first(27)) == "Linux version 6.1.10-1.ph5 ");
  CHECK(image.initial_data(*image.find_symbol("phys_base"), 1 << 20).empty());  // .bss
  CHECK(image.initial_data({0}, 1 << 20).empty());
  CHECK(image.initial_data({~std::uint64_t{0}}, 1 << 20).empty());
}

TEST_CASE("ElfImage: the build-id that the linker wrote") {
  const std::optional<std::string> id = ElfImage(path_of(PRINTK_RINGBUFFER_KERNEL)).build_id();
  REQUIRE(id);
  CHECK(id->size() == 40);
  CHECK(ElfImage(path_of(PRINTK_LOG_KERNEL)).build_id() != id);
}

TEST_CASE("ElfImage: notes of more than any kernel has are not looked through for a build-id") {
  const TemporaryFolder folder;
  std::string bytes = file_content(PRINTK_RINGBUFFER_KERNEL);
  bytes.resize(bytes.size() + (1 << 20));
  const auto build_id_with = [&](std::uint64_t note_bytes) {
    Elf64_Ehdr file{};
    std::memcpy(&file, bytes.data(), sizeof(file));
    for (std::size_t i = 0; i < file.e_shnum; ++i) {
      Elf64_Shdr section{};
      char* const place = bytes.data() + file.e_shoff + i * sizeof(section);
      std::memcpy(&section, place, sizeof(section));
      if (section.sh_type != SHT_NOTE) continue;
      section.sh_size = note_bytes;
      std::memcpy(place, &section, sizeof(section));
    }
    return ElfImage(folder.write("vmlinux", bytes)).build_id();
  };
  CHECK(build_id_with(1 << 20));
  CHECK_FALSE(build_id_with((1 << 20) + 1));
}

TEST_CASE("ElfImage: a .debug file has the symbols, the build-id and no initial data") {
  const ElfImage image(path_of(ONLY_DEBUG_KERNEL));
  const ElfImage whole(path_of(PRINTK_RINGBUFFER_KERNEL));
  CHECK(image.find_symbol("linux_banner") == whole.find_symbol("linux_banner"));
  CHECK(image.initial_data(*image.find_symbol("linux_banner"), 1 << 20).empty());
  CHECK(image.build_id() == whole.build_id());
}

TEST_CASE("ElfImage: a stripped file is refused as such") {
  check_fails(Failure::UnusableInput, "expected a symbol table, found none: it is stripped",
              [] { ElfImage(path_of(STRIPPED_KERNEL)).require_symbols(); });
}

TEST_CASE("ElfImage: a file cut anywhere is refused by name") {
  const TemporaryFolder folder;
  const std::string whole = file_content(PRINTK_RINGBUFFER_KERNEL);
  for (std::size_t length = 0; length < whole.size(); length += length < 100 ? 1 : 397) {
    CAPTURE(length);
    const auto path = folder.write("vmlinux", whole.substr(0, length));
    check_fails(Failure::UnusableInput, "vmlinux: ", [&] { ElfImage(path).require_symbols(); });
  }
}

TEST_CASE("ElfImage: what is no executable of a known machine is refused with what it is") {
  const TemporaryFolder folder;
  const auto changed = [&](std::size_t offset, std::uint16_t value) {
    std::string bytes = file_content(PRINTK_RINGBUFFER_KERNEL);
    bytes.replace(offset, 2, little_endian(value, 2));
    return folder.write("vmlinux", bytes);
  };
  check_fails(Failure::UnusableInput, "found ELF type 1, machine 62",
              [&] { const ElfImage image(changed(offsetof(Elf64_Ehdr, e_type), ET_REL)); });
  check_fails(Failure::UnusableInput, "vmlinux: expected a vmlinux (an x86-64 or arm64 executable)",
              [&] { const ElfImage image(changed(offsetof(Elf64_Ehdr, e_machine), EM_S390)); });
  CHECK_NOTHROW(ElfImage(changed(offsetof(Elf64_Ehdr, e_machine), EM_AARCH64)));
  check_fails(Failure::UnusableInput, "text: expected an ELF file",
              [&] { const ElfImage image(folder.write("text", "no ELF at all")); });
}

TEST_CASE("is_elf_file: by its magic") {
  CHECK(is_elf_file(BufferSource("file", as_bytes("\x7f"
                                                  "ELF and more"))));
  CHECK_FALSE(is_elf_file(BufferSource("file", as_bytes("\x7f"
                                                        "EL"))));
  CHECK_FALSE(is_elf_file(BufferSource("file", as_bytes("ELF\x7f"))));
}

}  // namespace photon_dmesg::test
