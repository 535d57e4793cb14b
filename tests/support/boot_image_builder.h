#pragma once

#include <elf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/symbols/vmlinux/elf_writer.h"
#include "support/bytes.h"
#include "support/elf_core_builder.h"
#include "support/kallsyms_writer.h"

namespace photon_dmesg::test {

// A boot image for x86 around `payload`, which ends with its unpacked size: as Linux's
// Documentation/arch/x86/boot.rst has it.
inline std::string boot_image(const std::string& payload, std::uint8_t setup_sects = 3,
                              std::uint16_t version = 0x20f) {
  constexpr std::size_t sector = 512;
  constexpr std::size_t payload_offset = 64;  // there is start-up code before it
  const std::size_t code = ((setup_sects == 0 ? 4U : setup_sects) + 1) * sector;
  std::string image(code + payload_offset, '\x90');
  const auto put = [&](std::size_t at, const std::string& bytes) {
    image.replace(at, bytes.size(), bytes);
  };
  put(0, "MZ");
  put(0x1f1, little_endian(setup_sects, 1));
  put(0x1fe, "\x55\xaa");
  put(0x202, "HdrS" + little_endian(version, 2));
  put(0x248, little_endian(payload_offset, 4) + little_endian(payload.size(), 4));
  return image + payload + std::string(256, '\x90');
}

// `packed`, of what was `size` bytes, as the kernel's makefiles leave it (scripts/Makefile.lib,
// size_append).
inline std::string with_size(const std::string& packed, std::size_t size) {
  return packed + little_endian(size, 4);
}

// `text` in lz4's legacy frame, as lz4 -l writes it: one block of literals, which takes no packing.
inline std::string lz4_stored(const std::string& text) {
  constexpr std::size_t in_token = 15;
  constexpr std::size_t in_byte = 255;
  std::string block = "\xf0";
  std::size_t rest = text.size() - in_token;
  for (; rest >= in_byte; rest -= in_byte) block += '\xff';
  block += little_endian(rest, 1) + text;
  return little_endian(0x184c2102, 4) + little_endian(block.size(), 4) + block;
}

// A boot image of that kernel, which has at least 15 bytes.
inline std::string stored_boot_image(const std::string& kernel) {
  return boot_image(with_size(lz4_stored(kernel), kernel.size()));
}

// A kernel as it is within a boot image: no symbols but those of its own table.
struct BootKernel {
  KallsymsForm form = kallsyms_forms[2];
  std::string banner = "Linux version 6.1.10-1.ph5 (root@photon) (gcc) #1-photon SMP\n";
  std::string types{};  // its BTF
  bool has_variables = true;
  bool has_table = true;

  static constexpr GuestVirtual text{kernel_begin};
  static constexpr GuestVirtual read_only{kernel_begin + 0x400000};
  static constexpr std::size_t text_bytes = 0x10000;

  [[nodiscard]] std::vector<KallsymsSample> symbols() const {
    std::vector<KallsymsSample> all = {{'T', text.value, "_text"}, {'T', text.value, "_stext"}};
    for (unsigned i = 1; i < 600; ++i) {
      all.push_back({'t', text.value + i * 0x40, "function_" + std::to_string(i)});
    }
    all.push_back({'T', text.value + text_bytes, "_etext"});
    if (has_variables) {
      all.push_back({'D', read_only.value, "linux_banner"});
      all.push_back({'d', read_only.value + 0x200000, "prb"});
    }
    return all;
  }

  [[nodiscard]] std::string elf() const {
    const std::string code(text_bytes, '\x90');
    std::string data = banner;
    data.resize(1024);
    if (has_table) data = KallsymsWriter(form, symbols(), read_only).write(data);
    const std::string notes = elf_note("GNU", NT_GNU_BUILD_ID, "\x12\x34\x56");
    ElfWriter writer;
    writer.add_loaded(".text", SHT_PROGBITS, text, as_bytes(code));
    writer.add_loaded(".rodata", SHT_PROGBITS, read_only, as_bytes(data));
    writer.add_loaded(".notes", SHT_NOTE, read_only + 0x100000, as_bytes(notes));
    if (!types.empty()) {
      writer.add_loaded(".BTF", SHT_PROGBITS, read_only + 0x110000, as_bytes(types));
    }
    return as_text(writer.finish()) + "relocations";
  }

  [[nodiscard]] std::string image() const { return stored_boot_image(elf()); }
};

}  // namespace photon_dmesg::test
