#include "kernel/symbols/build_id.h"

#include <elf.h>
#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t longest_build_id = 64;

std::uint64_t padding(std::uint32_t size) {
  return (4 - size % 4) % 4;
}

std::string to_hex(const std::string& bytes) {
  std::string hex;
  for (const char byte : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

// The build-id, if the next note is one.
std::optional<std::string> read_note(ByteReader& reader) {
  const std::uint32_t name_size = reader.u32("a note's name size");
  const std::uint32_t descriptor_size = reader.u32("a note's descriptor size");
  const std::uint32_t type = reader.u32("a note's type");
  const std::string name = reader.text(name_size, "a note's name");
  reader.skip(padding(name_size), "padding");
  const std::string gnu(ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU));  // with its NUL
  if (name == gnu && type == NT_GNU_BUILD_ID && descriptor_size <= longest_build_id) {
    return to_hex(reader.text(descriptor_size, "a build-id"));
  }
  reader.skip(std::uint64_t{descriptor_size} + padding(descriptor_size), "a note's descriptor");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_build_id(const ByteSource& notes) {
  ByteReader reader(notes);
  try {
    while (reader.remaining() > 0) {
      if (std::optional<std::string> id = read_note(reader)) {
        return id;
      }
    }
  } catch (const Error&) {
    // Damaged notes have no build-id: it is evidence where it is there, never needed.
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
