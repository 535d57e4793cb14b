#include "checkpoint/dumps/kdump_magic.h"

#include <span>
#include <string>
#include <string_view>

namespace photon_dmesg {
namespace {

constexpr std::string_view flattened_magic("makedumpfile\0\0\0\0", 16);  // makedumpfile.h

bool begins_with(const ByteSource& source, std::string_view magic) {
  std::string found(magic.size(), '\0');
  if (!source.contains(0, found.size())) return false;
  source.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == magic;
}

}  // namespace

bool is_kdump_file(const ByteSource& source) {
  return begins_with(source, "KDUMP   ") || begins_with(source, "DISKDUMP") ||
         is_flattened_kdump_file(source);
}

bool is_flattened_kdump_file(const ByteSource& source) {
  return begins_with(source, flattened_magic);
}

}  // namespace photon_dmesg
