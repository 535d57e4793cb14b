#include "report/private_numbers.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "report/text_bytes.h"

namespace photon_dmesg {
namespace {

// Digits alone, in lower case: however a number is written, it is the same.
std::string digits_of(std::string_view text) {
  std::string digits;
  for (const char byte : text) {
    if (is_hex(byte)) digits += lower_case(byte);
  }
  return digits;
}

// All zeros or all ones are no machine's own.
std::optional<PrivateText> number(PrivateKind kind, std::string_view text, std::size_t at,
                                  std::size_t skip, std::size_t length) {
  std::string digits = digits_of(text.substr(at + skip, length));
  if (digits.find_first_not_of(digits.front()) == std::string::npos &&
      (digits.front() == '0' || digits.front() == 'f')) {
    return std::nullopt;
  }
  return PrivateText{.kind = kind, .skip = skip, .length = length, .key = std::move(digits)};
}

// How systemd writes a dash in the name of a unit.
constexpr std::string_view escaped_dash = "\\x2d";

// A UUID with its dashes as they are or escaped; nothing if there is none.
std::optional<PrivateText> find_dashed_uuid(std::string_view text, std::size_t at) {
  constexpr std::array<std::size_t, 5> groups = {8, 4, 4, 4, 12};
  std::string digits;
  std::size_t length = 0;
  for (const std::size_t group : groups) {
    if (length > 0) {
      const std::string_view rest = text.substr(at + length);
      if (!rest.starts_with('-') && !rest.starts_with(escaped_dash)) return std::nullopt;
      length += rest.front() == '-' ? 1 : escaped_dash.size();
    }
    if (run_of(text, at + length, is_hex, group) != group) return std::nullopt;
    digits += digits_of(text.substr(at + length, group));
    length += group;
  }
  if (is_alnum(at_or_zero(text, at + length))) return std::nullopt;
  return PrivateText{.kind = PrivateKind::Uuid, .length = length, .key = std::move(digits)};
}

bool is_pair(std::string_view text, std::size_t at) {
  return is_hex(at_or_zero(text, at)) && is_hex(at_or_zero(text, at + 1)) &&
         !is_alnum(at_or_zero(text, at + 2));
}

// Bytes of as many pairs of hexadecimal digits as there are, with one mark between all of them. No
// address has more than 32.
std::size_t pairs_length(std::string_view text, std::size_t at) {
  constexpr std::size_t step = 3;
  constexpr std::size_t most = 32 * step;
  if (!is_pair(text, at)) return 0;
  const char mark = at_or_zero(text, at + 2);
  if (mark != ':' && mark != '-') return 2;
  std::size_t length = 2;
  while (length < most && at_or_zero(text, at + length) == mark && is_pair(text, at + length + 1)) {
    length += step;
  }
  return length;
}

// "0050.56ab.cdef".
bool is_dotted_mac(std::string_view text, std::size_t at) {
  constexpr std::size_t size = 14;
  constexpr std::size_t group = 4;
  if (text.size() - at < size || text[at + group] != '.' || text[at + 2 * group + 1] != '.') {
    return false;
  }
  const char next = at_or_zero(text, at + size);
  return !is_alnum(next) && next != '.' && digits_of(text.substr(at, size)).size() == size - 2;
}

// What stands before a number of four parts that is a version and no address.
bool follows_version(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 8> words = {"version", "ver", "rev",    "revision",
                                                     "fw",      "v",   "driver", "firmware"};
  constexpr std::size_t most_marks = 3;
  constexpr std::size_t longest_word = 10;
  const std::string_view before = text.substr(0, at);
  const auto is_mark = [](char byte) {
    return byte == ' ' || byte == ':' || byte == '=' || byte == '.' || byte == '"';
  };
  std::size_t end = before.size();
  while (end > 0 && before.size() - end <= most_marks && is_mark(before[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && end - begin <= longest_word && is_alnum(before[begin - 1])) --begin;
  return std::ranges::any_of(words, [&](std::string_view word) {
    return equal_case(before.substr(begin, end - begin), word);
  });
}

// Loopback, none, all, masks of networks, and the groups of one link's hosts.
bool is_of_every_machine(std::uint32_t address) {
  const std::uint32_t hosts = ~address;
  const bool is_mask = address >> 24 == 255 && (hosts & (hosts + 1)) == 0;
  return address == 0 || address >> 24 == 127 || is_mask || address >> 8 == 0xe00000;
}

// Bytes of four numbers with dots between them; 0 if there are fewer.
std::size_t four_parts(std::string_view text, std::size_t at) {
  constexpr int parts = 4;
  constexpr std::size_t digits = 3;
  std::size_t length = 0;
  for (int part = 0; part < parts; ++part) {
    if (part > 0 && at_or_zero(text, at + length++) != '.') return 0;
    const std::size_t part_length = run_of(text, at + length, is_digit, digits);
    if (part_length == 0) return 0;
    length += part_length;
  }
  return length;
}

// Names of the world's tree of objects (SNMP).
bool begins_object_id(std::string_view text, std::size_t at) {
  return text.substr(at).starts_with("1.3.6.1.");
}

// A fifth number may be a port (tcpdump), and what else follows a name or a file's ending.
std::optional<PrivateText> find_ipv4(std::string_view text, std::size_t at) {
  if (at > 0 && text[at - 1] == '.') return std::nullopt;
  const std::size_t length = four_parts(text, at);
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text.substr(at, length)).c_str(), &address) != 1 ||
      is_of_every_machine(ntohl(address.s_addr)) || is_alnum(at_or_zero(text, at + length)) ||
      begins_object_id(text, at) || follows_version(text, at)) {
    return std::nullopt;
  }
  return PrivateText{.kind = PrivateKind::Ip,
                     .length = length,
                     .key = fmt::format("{:08x}", ntohl(address.s_addr))};
}

// ::, ::1, and the groups of one link's hosts (ff02::1, ff02::16).
bool is_of_every_machine(const in6_addr& address) {
  const auto is_zero = [&](std::size_t begin, std::size_t end) {
    return std::all_of(address.s6_addr + begin, address.s6_addr + end,
                       [](std::uint8_t byte) { return byte == 0; });
  };
  constexpr std::size_t last = 15;
  return (is_zero(0, last) && address.s6_addr[last] <= 1) ||
         (address.s6_addr[0] == 0xff && is_zero(2, last - 1));
}

// Where the eighth group of an address ends behind which another number stands (a port); 0 if none
// does.
std::size_t end_of_groups(std::string_view run) {
  constexpr int groups = 8;
  std::size_t end = 0;
  for (int colons = 0; colons < groups; ++colons) {
    end = run.find(':', end + (colons > 0 ? 1 : 0));
    if (end == std::string_view::npos) return 0;
  }
  return run.substr(0, end).find("::") == std::string_view::npos ? end : 0;
}

std::optional<PrivateText> find_ipv6(std::string_view text, std::size_t at) {
  const auto is_part = [](char byte) { return is_hex(byte) || byte == ':' || byte == '.'; };
  if (at_or_zero(text, at + run_of(text, at, is_hex, 4)) != ':') return std::nullopt;
  std::string run(text.substr(at, run_of(text, at, is_part, INET6_ADDRSTRLEN + 1)));
  if (const std::size_t end = end_of_groups(run)) run.resize(end);
  while (run.ends_with('.') || (run.ends_with(':') && !run.ends_with("::"))) run.pop_back();
  // "fd::add" may be a name of a program's.
  const bool has_digit = run.find_first_of("0123456789") != std::string::npos;
  in6_addr address{};
  if (!has_digit || is_alnum(at_or_zero(text, at + run.size())) ||
      ::inet_pton(AF_INET6, run.c_str(), &address) != 1 || is_of_every_machine(address)) {
    return std::nullopt;
  }
  std::string key;
  for (const std::uint8_t byte : address.s6_addr) key += fmt::format("{:02x}", byte);
  return PrivateText{.kind = PrivateKind::Ip, .length = run.size(), .key = std::move(key)};
}

// "Serial Number: XYZ", "S/N: XYZ", "asset tag: XYZ"; "Serial: 8250/16550 driver" is none.
std::optional<PrivateText> find_labelled(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 6> labels = {"serialnumber", "serial number", "serial no",
                                                      "asset tag",    "s/n",           "serial"};
  for (const std::string_view label : labels) {
    if (!starts_with_case(text.substr(at), label)) continue;
    const std::size_t end = at + label.size();
    const std::size_t marks = run_of(text, end, [](char byte) {
      return byte == ':' || byte == '=' || byte == ' ' || byte == '#' || byte == '.' || byte == '"';
    });
    const std::string_view mark = text.substr(end, marks);
    const std::size_t length = run_of(text, end + marks, [](char byte) {
      return !is_blank(byte) && byte != ',' && byte != ';' && byte != '"';
    });
    const bool is_port = text.substr(end + marks).starts_with("8250");
    if (mark.find_first_of(":=#") == std::string_view::npos || length == 0 || is_port) continue;
    return PrivateText{.kind = PrivateKind::Serial, .skip = end + marks - at, .length = length};
  }
  return std::nullopt;
}

// Names of disks that the world knows them by.
std::optional<PrivateText> find_disk_name(std::string_view text, std::size_t at) {
  constexpr std::size_t least = 8;
  for (const std::string_view prefix : {"naa.", "eui.", "wwn-0x", "t10."}) {
    if (!text.substr(at).starts_with(prefix)) continue;
    const std::size_t length = run_of(text, at + prefix.size(), is_name_byte);
    if (length < least) return std::nullopt;
    return PrivateText{.kind = PrivateKind::Serial, .skip = prefix.size(), .length = length};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PrivateText> find_uuid(std::string_view text, std::size_t at) {
  constexpr std::size_t plain = 32;
  if (auto found = find_dashed_uuid(text, at)) return found;
  const bool is_plain =
      run_of(text, at, is_hex, plain) == plain && !is_name_byte(at_or_zero(text, at + plain));
  return is_plain ? number(PrivateKind::Uuid, text, at, 0, plain) : std::nullopt;
}

std::optional<PrivateText> find_serial(std::string_view text, std::size_t at) {
  constexpr std::string_view vmware = "VMware-";
  constexpr std::size_t sixteen_pairs = 47;
  if (auto found = find_labelled(text, at)) return found;
  if (auto found = find_disk_name(text, at)) return found;
  if (!text.substr(at).starts_with(vmware)) return std::nullopt;
  const auto is_part = [](char byte) { return is_hex(byte) || byte == ' ' || byte == '-'; };
  const std::size_t length = run_of(text, at + vmware.size(), is_part, sixteen_pairs);
  if (length < sixteen_pairs) return std::nullopt;
  return number(PrivateKind::Serial, text, at, vmware.size(), length);
}

std::optional<PrivateText> find_mac(std::string_view text, std::size_t at) {
  constexpr std::size_t six_pairs = 17;
  constexpr std::size_t dotted = 14;
  constexpr std::size_t digits = 12;
  if (const std::size_t length = pairs_length(text, at); length >= six_pairs) {
    return number(PrivateKind::Mac, text, at, 0, length);
  }
  if (is_dotted_mac(text, at)) return number(PrivateKind::Mac, text, at, 0, dotted);
  const std::string_view prefix = text.substr(at, 3);
  const bool names_card = prefix == "enx" || prefix == "wlx" || prefix == "wwx";
  if (names_card && run_of(text, at + prefix.size(), is_hex, digits + 1) == digits) {
    return number(PrivateKind::Mac, text, at, prefix.size(), digits);
  }
  return std::nullopt;
}

std::optional<PrivateText> find_ip(std::string_view text, std::size_t at) {
  if (auto found = find_ipv6(text, at)) return found;
  return find_ipv4(text, at);
}

}  // namespace photon_dmesg
