#include "rpm/cpio_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t alignment = 4;
constexpr std::size_t magic_bytes = 6;
constexpr std::size_t field_digits = 8;
constexpr std::uint64_t longest_path = 4096;
// What a kernel's package may unpack to: the largest known have 6 GB.
constexpr std::uint64_t most_payload_bytes = std::uint64_t{32} << 30;

}  // namespace

std::uint64_t CpioReader::read_hexadecimal(const char* what) {
  const std::string digits = input_.take_text(field_digits, what);
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    throw unusable(fmt::format("damaged cpio archive: {}: expected 8 hexadecimal digits", what));
  }
  return value;
}

void CpioReader::align() {
  input_.skip((alignment - input_.position() % alignment) % alignment, "padding");
}

CpioReader::Member CpioReader::read_newc() {
  Member member;
  member.inode = read_hexadecimal("an inode");
  member.regular_file = S_ISREG(static_cast<mode_t>(read_hexadecimal("a mode")));
  for (const char* what : {"an owner", "a group", "a number of links", "a time"}) {
    (void)read_hexadecimal(what);
  }
  member.size = read_hexadecimal("a file's size");
  for (const char* what : {"a device", "a device", "a special device", "a special device"}) {
    (void)read_hexadecimal(what);
  }
  const std::uint64_t path_bytes = read_hexadecimal("the length of a path");
  (void)read_hexadecimal("a checksum");
  if (path_bytes == 0 || path_bytes > longest_path) {
    throw unusable(
        fmt::format("damaged cpio archive: expected a path of at most {} bytes, found {}",
                    longest_path, path_bytes));
  }
  member.path = input_.take_text(path_bytes, "a path");
  member.path.resize(member.path.find('\0') == std::string::npos ? path_bytes
                                                                 : member.path.find('\0'));
  return member;
}

CpioReader::Member CpioReader::read_stripped() {
  const std::uint64_t index = read_hexadecimal("a file's number");
  if (index >= files_->size()) {
    throw unusable(fmt::format("damaged cpio archive: file {} of {}", index, files_->size()));
  }
  const RpmPackage::File& file = (*files_)[static_cast<std::size_t>(index)];
  const bool has_content = (file.regular_file || file.symbolic_link) && !file.last_name;
  return {file.path, has_content ? file.size : 0, file.regular_file,
          file.last_name.value_or(index)};
}

std::optional<CpioReader::Member> CpioReader::next_member() {
  input_.skip(left_, "a file's content");
  align();
  const std::string magic = input_.take_text(magic_bytes, "a cpio header");
  Member member;
  if (magic == "070701" || magic == "070702") {
    member = read_newc();
  } else if (magic == "07070X") {
    member = read_stripped();
  } else {
    throw unusable("damaged cpio archive: expected a header (070701), found other bytes");
  }
  align();
  if (member.path == "TRAILER!!!") return std::nullopt;
  if (member.size > most_payload_bytes || input_.position() > most_payload_bytes - member.size) {
    throw unusable(
        fmt::format("{}: expected a kernel's package, of at most {} bytes unpacked, found "
                    "{} bytes at {}",
                    member.path, most_payload_bytes, member.size, input_.position()));
  }
  left_ = member.size;
  return member;
}

std::span<const std::byte> CpioReader::next_data() {
  const std::span<const std::byte> bytes = input_.take_some(left_, "a file's content");
  left_ -= bytes.size();
  return bytes;
}

}  // namespace photon_dmesg
