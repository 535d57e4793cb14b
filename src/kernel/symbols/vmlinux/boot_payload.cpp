#include "kernel/symbols/vmlinux/boot_payload.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/decompression.h"
#include "base/error.h"
#include "base/file_stream.h"
#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

using namespace std::string_view_literals;

// The setup header: Documentation/arch/x86/boot.rst.
constexpr std::uint64_t setup_sects = 0x1f1;  // u8
constexpr std::uint64_t boot_flag = 0x1fe;
constexpr std::string_view boot_magic = "\x55\xaa"sv;
constexpr std::uint64_t header = 0x202;
constexpr std::string_view header_magic = "HdrS"sv;
constexpr std::uint64_t version = 0x206;         // u16
constexpr std::uint64_t payload_offset = 0x248;  // u32, counted from the protected-mode code
constexpr std::uint64_t payload_length = 0x24c;  // u32
constexpr std::uint64_t sector_bytes = 512;
constexpr std::uint64_t usual_sectors = 4;        // if setup_sects is 0
constexpr std::uint64_t oldest_version = 0x208;   // which has the payload's place: 2.6.26
constexpr std::uint64_t unpacked_size_bytes = 4;  // at the payload's end, gzip's own or appended

// No kernel's image is larger in memory; those of 2026 have 70 MB.
constexpr std::uint64_t most_unpacked = 256 * 1024 * 1024;

// What the first bytes of a payload say, as far as decompress() does not look at them: the names of
// lib/decompress.c.
struct Mark {
  std::string_view magic;
  std::string_view name;
};
constexpr std::array marks = {Mark{"\x5d\x00"sv, "lzma"}, Mark{"\x89LZO"sv, "lzo"}};
constexpr std::string_view gzip_magic = "\x1f\x8b"sv;

struct Payload {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;  // bytes, the unpacked size among them
  std::uint64_t unpacked_size = 0;
  std::string first;
};

std::string text_at(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::uint64_t number_at(const ByteSource& source, std::uint64_t offset, std::size_t width) {
  return ByteReader(source, offset, source.size()).unsigned_of(width, "a boot image's header");
}

Payload find_payload(const ByteSource& image) {
  const std::uint64_t found_version = number_at(image, version, 2);
  if (found_version < oldest_version) {
    throw unusable(fmt::format("expected boot protocol {:#x} or later, found {:#x}", oldest_version,
                               found_version));
  }
  const std::uint64_t sectors = number_at(image, setup_sects, 1);
  const std::uint64_t code = ((sectors == 0 ? usual_sectors : sectors) + 1) * sector_bytes;
  Payload payload;
  payload.begin = code + number_at(image, payload_offset, 4);
  payload.size = number_at(image, payload_length, 4);
  constexpr std::size_t first_bytes = 4;
  if (payload.size < first_bytes + unpacked_size_bytes ||
      !image.contains(payload.begin, payload.size)) {
    throw unusable(
        fmt::format("truncated: expected a payload of {} bytes at {:#x}, it ends at {:#x}",
                    payload.size, payload.begin, image.size()));
  }
  payload.first = text_at(image, payload.begin, first_bytes);
  payload.unpacked_size =
      number_at(image, payload.begin + payload.size - unpacked_size_bytes, unpacked_size_bytes);
  if (payload.unpacked_size > most_unpacked) {
    throw unusable(fmt::format("expected a kernel of at most {} bytes unpacked, found {}",
                               most_unpacked, payload.unpacked_size));
  }
  return payload;
}

// How decompress() may name what it does not recognise.
std::string name_compressor(std::string_view first) {
  for (const Mark& mark : marks) {
    if (first.starts_with(mark.magic)) return std::string(mark.name);
  }
  return fmt::format("{:#010x}", load_unsigned(std::as_bytes(std::span(first))));
}

// All that `stream` gives, if that is `size` bytes.
std::vector<std::byte> read_all(ByteStream& stream, std::uint64_t size, Diagnostics& diagnostics) {
  std::vector<std::byte> all;
  all.reserve(size);
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
    if (bytes.size() > size - all.size()) {
      throw unusable(fmt::format("damaged: expected {} bytes unpacked, found more", size));
    }
    all.insert(all.end(), bytes.begin(), bytes.end());
    diagnostics.progress({"unpacking the boot image", all.size(), size});
  }
  if (all.size() < size) {
    throw unusable(fmt::format("damaged: expected {} bytes unpacked, found {}", size, all.size()));
  }
  return all;
}

std::vector<std::byte> unpack(const ByteSource& image, Diagnostics& diagnostics) {
  const Payload payload = find_payload(image);
  // Only gzip's own end is the size.
  const bool is_appended = !payload.first.starts_with(gzip_magic);
  FileStream packed(image, payload.begin, payload.size - (is_appended ? unpacked_size_bytes : 0));
  const auto stream = decompress(packed, name_compressor(payload.first));
  return read_all(*stream, payload.unpacked_size, diagnostics);
}

}  // namespace

bool is_boot_image(const ByteSource& source) {
  return source.contains(0, payload_length + 4) &&
         text_at(source, boot_flag, boot_magic.size()) == boot_magic &&
         text_at(source, header, header_magic.size()) == header_magic;
}

std::vector<std::byte> unpack_boot_payload(const ByteSource& image, Diagnostics& diagnostics) {
  return with_context(image.name(), [&] { return unpack(image, diagnostics); });
}

}  // namespace photon_dmesg
