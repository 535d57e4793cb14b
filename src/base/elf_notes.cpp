#include "base/elf_notes.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// So that a damaged note can't exhaust memory.
constexpr std::uint32_t largest_part = 16 * 1024 * 1024;

// More of a name is not read: owners are known by shorter ones.
constexpr std::uint32_t longest_owner = 256;

constexpr std::uint64_t padding(std::uint64_t size) {
  return (4 - size % 4) % 4;
}

}  // namespace

std::optional<ElfNote> ElfNotes::next() {
  if (reader_.remaining() < sizeof(Elf64_Nhdr)) return std::nullopt;
  const std::uint32_t name_size = reader_.u32("a note's name size");
  ElfNote note;
  note.size = reader_.u32("a note's size");
  note.type = reader_.u32("a note's type");
  if (name_size > largest_part || note.size > largest_part) {
    throw unusable(fmt::format("expected a note of at most {} bytes, found {} at offset {:#x}",
                               largest_part, std::max(name_size, note.size), reader_.position()));
  }
  const std::uint32_t read_of_name = std::min(name_size, longest_owner);
  note.owner = reader_.text(read_of_name, "a note's name");
  note.owner.resize(std::min(note.owner.find('\0'), note.owner.size()));
  reader_.skip(name_size - read_of_name, "a note's name");
  reader_.skip(padding(name_size), "a note's padding");
  note.offset = reader_.position();
  reader_.skip(note.size, "a note's content");
  // The last note's padding may be missing.
  reader_.skip(std::min(padding(note.size), reader_.remaining()), "a note's padding");
  return note;
}

std::string make_elf_note(std::string_view owner, std::uint32_t type, std::string_view content) {
  Elf64_Nhdr header{};
  header.n_namesz = static_cast<Elf64_Word>(owner.size() + 1);
  header.n_descsz = static_cast<Elf64_Word>(content.size());
  header.n_type = type;
  std::string note(reinterpret_cast<const char*>(&header), sizeof(header));
  note += owner;
  note.append(1 + padding(owner.size() + 1), '\0');
  note += content;
  note.append(padding(content.size()), '\0');
  return note;
}

}  // namespace photon_dmesg
