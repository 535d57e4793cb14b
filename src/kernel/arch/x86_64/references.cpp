#include "kernel/arch/x86_64/references.h"

#include <cstdint>

#include "base/little_endian.h"
#include "kernel/arch/x86_64/memory_map.h"

namespace photon_dmesg::x86_64 {
namespace {

// The address that a displacement of 32 bits at `at` means, relative to the instruction's end
// `after` bytes behind it.
GuestVirtual rip_relative(std::span<const std::byte> code, GuestVirtual begin, std::size_t at,
                          std::size_t after) {
  constexpr std::size_t width = sizeof(std::int32_t);
  const auto displacement = static_cast<std::int32_t>(load_unsigned(code.subspan(at, width)));
  return begin + at + width + after +
         static_cast<std::uint64_t>(static_cast<std::int64_t>(displacement));
}

}  // namespace

// The first `mov disp32(%rip), %rax` or `%eax` that leads into the image.
std::optional<GuestVirtual> returned_variable(std::span<const std::byte> code, GuestVirtual begin) {
  constexpr std::byte mov{0x8b};
  constexpr std::byte rip_to_ax{0x05};  // ModRM: mod 00, reg rax, rm 101
  for (std::size_t at = 0; at + 6 <= code.size(); ++at) {
    if (code[at] != mov || code[at + 1] != rip_to_ax) continue;
    const GuestVirtual target = rip_relative(code, begin, at + 2, 0);
    if (is_image_address(target)) return target;
  }
  return std::nullopt;
}

// Each byte is taken for the beginning of a displacement, with and without an immediate operand
// behind it.
void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                        const std::function<void(GuestVirtual)>& visit) {
  for (std::size_t at = 0; at + sizeof(std::int32_t) <= code.size(); ++at) {
    for (const std::size_t immediate : {0U, 1U, 4U}) {
      const GuestVirtual target = rip_relative(code, begin, at, immediate);
      if (is_image_address(target)) visit(target);
    }
  }
}

}  // namespace photon_dmesg::x86_64
