#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_source.h"

namespace photon_dmesg {

// A note of an ELF file, a core or a kernel's image (elf(5): u32 name size, u32 content size, u32
// type, name and content each padded to 4 bytes).
struct ElfNote {
  std::string owner;  // without its NUL, and no more than the first 256 bytes
  std::uint32_t type = 0;
  std::uint64_t offset = 0;  // of its content, in the source
  std::uint32_t size = 0;    // bytes
};

// Reads the notes that stand in `source` from `begin` to `end`, one behind the other.
class ElfNotes {
 public:
  // `source` must outlive this object.
  ElfNotes(const ByteSource& source, std::uint64_t begin, std::uint64_t end)
      : reader_(source, begin, end) {}

  // The next note; nothing at the end. Throws Error(UnusableInput) for one that is cut off or of a
  // size that none has.
  [[nodiscard]] std::optional<ElfNote> next();

 private:
  ByteReader reader_;
};

// A note as it stands in a file, padding and all.
[[nodiscard]] std::string make_elf_note(std::string_view owner, std::uint32_t type,
                                        std::string_view content);

}  // namespace photon_dmesg
