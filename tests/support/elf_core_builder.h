#pragma once

#include <elf.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/bytes.h"

namespace photon_dmesg::test {

struct CoreSegment {
  std::uint64_t physical = 0;
  std::string content;
  std::uint64_t virtual_address = 0;
};

template <typename Struct>
std::string bytes_of(const Struct& value) {
  return as_text(std::as_bytes(std::span(&value, 1)));
}

inline std::string elf_note(std::string_view owner, std::uint32_t type,
                            const std::string& content) {
  const auto padded = [](std::string text) {
    text.resize((text.size() + 3) / 4 * 4, '\0');
    return text;
  };
  const std::string name = std::string(owner) + '\0';
  return little_endian(name.size(), 4) + little_endian(content.size(), 4) + little_endian(type, 4) +
         padded(name) + padded(content);
}

// An ELF core with one segment of notes and those of memory.
inline std::string elf_core(const std::vector<CoreSegment>& segments, const std::string& notes = "",
                            std::uint16_t type = ET_CORE) {
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = type;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof(header);
  header.e_ehsize = sizeof(header);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<std::uint16_t>(segments.size() + 1);
  std::uint64_t at = sizeof(header) + header.e_phnum * sizeof(Elf64_Phdr);
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = at;
  note.p_filesz = notes.size();
  at += notes.size();
  std::string table = bytes_of(note);
  std::string content = notes;
  for (const CoreSegment& segment : segments) {
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_offset = at;
    load.p_paddr = segment.physical;
    load.p_vaddr = segment.virtual_address;
    load.p_filesz = segment.content.size();
    load.p_memsz = segment.content.size();
    table += bytes_of(load);
    content += segment.content;
    at += segment.content.size();
  }
  return bytes_of(header) + table + content;
}

}  // namespace photon_dmesg::test
