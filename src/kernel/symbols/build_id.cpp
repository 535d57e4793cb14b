#include "kernel/symbols/build_id.h"

#include <elf.h>
#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/elf_notes.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t longest_build_id = 64;

std::string to_hex(const std::string& bytes) {
  std::string hex;
  for (const char byte : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

}  // namespace

std::optional<std::string> find_build_id(const ByteSource& notes) {
  try {
    ElfNotes reader(notes, 0, notes.size());
    while (const std::optional<ElfNote> note = reader.next()) {
      if (note->owner != ELF_NOTE_GNU || note->type != NT_GNU_BUILD_ID ||
          note->size > longest_build_id) {
        continue;
      }
      ByteReader content(notes, note->offset, note->offset + note->size);
      return to_hex(content.text(note->size, "a build-id"));
    }
  } catch (const Error&) {
    // Damaged notes have no build-id: it is evidence where it is there, never needed.
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
