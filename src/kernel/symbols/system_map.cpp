#include "kernel/symbols/system_map.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t address_digits = 16;
constexpr std::size_t name_column = address_digits + 3;  // behind " T "

// More than any kernel's (those of 2026 have 9 MB).
constexpr std::size_t largest_map = 64 * 1024 * 1024;

// Windows' editors put it in front of UTF-8, and "\r" before each end of a line.
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

struct Entry {
  GuestVirtual address;
  SymbolBinding binding = SymbolBinding::Local;
  std::string_view name;
};

std::optional<Entry> parse_line(std::string_view line) {
  if (line.size() <= name_column || line[address_digits] != ' ' ||
      line[address_digits + 2] != ' ') {
    return std::nullopt;
  }
  Entry entry;
  const char* end = line.data() + address_digits;
  const auto [stop, error] = std::from_chars(line.data(), end, entry.address.value, 16);
  const auto type = static_cast<unsigned char>(line[address_digits + 1]);
  if (error != std::errc() || stop != end || (std::isalpha(type) == 0 && type != '?')) {
    return std::nullopt;
  }
  if (std::isupper(type) != 0) entry.binding = SymbolBinding::Global;
  entry.name = line.substr(name_column);
  return entry;
}

// Calls visit(line) for each line, until it returns false.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!visit(line)) return;
  }
}

// Chooses among the entries that `is_wanted` says yes to. Only lines are parsed that contain
// `part`, the end of what stands before a name and as much of the name as is sure.
template <typename IsWanted>
std::optional<GuestVirtual> choose(std::string_view text, const std::string& part,
                                   IsWanted is_wanted) {
  SymbolChoice choice;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    // Such a part within a name, of which a line may have any number, is none of its own.
    constexpr std::size_t column = name_column - 1;
    if (at < column || (at > column && text[at - column - 1] != '\n')) continue;
    const std::string_view line = text.substr(at - column);
    const auto entry = parse_line(line.substr(0, line.find('\n')));
    if (entry && is_wanted(entry->name)) choice.offer(entry->address, entry->binding);
  }
  return choice.address();
}

}  // namespace

bool is_system_map(const ByteSource& source) {
  std::array<char, name_column + 1> beginning{};
  if (!source.contains(0, byte_order_mark.size() + beginning.size())) return false;
  std::array<char, byte_order_mark.size()> first{};
  source.read_at(0, std::as_writable_bytes(std::span(first)));
  const bool marked = std::string_view(first.data(), first.size()) == byte_order_mark;
  source.read_at(marked ? first.size() : 0, std::as_writable_bytes(std::span(beginning)));
  return parse_line({beginning.data(), beginning.size()}).has_value();
}

std::unique_ptr<SystemMap> SystemMap::load(ByteStream& stream) {
  std::string text;
  for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.size() > largest_map) {
      throw unusable(fmt::format("{}: expected a System.map of at most {} bytes, found more",
                                 stream.name(), largest_map));
    }
  }
  return std::unique_ptr<SystemMap>(new SystemMap(stream.name(), std::move(text)));
}

SystemMap::SystemMap(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)) {
  if (text_.starts_with(byte_order_mark)) text_.erase(0, byte_order_mark.size());
  std::erase(text_, '\r');
  if (!text_.ends_with('\n')) text_ += '\n';
  std::size_t number = 0;
  for_each_line(text_, [&](std::string_view line) {
    ++number;
    if (!parse_line(line)) {
      throw unusable(
          fmt::format("{}: line {}: expected an address, a type and a name, as in a System.map",
                      name_, number));
    }
    return true;
  });
}

std::optional<GuestVirtual> SystemMap::find_symbol(std::string_view name) const {
  return choose(text_, fmt::format(" {}\n", name),
                [&](std::string_view symbol) { return symbol == name; });
}

std::optional<GuestVirtual> SystemMap::find_static(std::string_view name) const {
  return choose(text_, fmt::format(" {}", name),
                [&](std::string_view symbol) { return is_static_name(symbol, name); });
}

void SystemMap::for_each_symbol(const SymbolVisit& visit) const {
  for_each_line(text_, [&](std::string_view line) {
    if (const auto entry = parse_line(line)) visit(entry->name, entry->address, entry->binding);
    return true;
  });
}

std::optional<SymbolPlace> SystemMap::find_place(GuestVirtual address) const {
  NearestSymbol nearest(address);
  for_each_line(text_, [&](std::string_view line) {
    if (const auto entry = parse_line(line)) nearest.offer(entry->address, entry->name);
    return true;
  });
  return nearest.place();
}

}  // namespace photon_dmesg
