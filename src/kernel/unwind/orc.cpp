#include "kernel/unwind/orc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/little_endian.h"
#include "kernel/arch/architecture.h"

namespace photon_dmesg {
namespace {

using Base = OrcEntry::Base;
using Type = OrcEntry::Type;

constexpr std::uint64_t address_bytes = 4;
constexpr std::uint64_t entry_bytes = 6;

// The numbers of registers (arch/x86/include/asm/orc_types.h): until 7.0, and since 7.1.
constexpr std::array<Base, 16> old_registers = {
    Base::Undefined, Base::PreviousSp, Base::Rdx, Base::Rdi,        Base::Bp,
    Base::Sp,        Base::R10,        Base::R13, Base::BpIndirect, Base::SpIndirect};
constexpr std::array<Base, 16> new_registers = {
    Base::Undefined, Base::Rax, Base::Rdx,        Base::Sp,         Base::Bp,        Base::Rdi,
    Base::R10,       Base::R13, Base::PreviousSp, Base::SpIndirect, Base::BpIndirect};

// The numbers of types. In the first two formats a base of 0 with the bit `end` is the end.
constexpr std::array<Type, 8> old_types = {Type::Call, Type::Regs, Type::RegsPartial};
constexpr std::array<Type, 8> new_types = {Type::Undefined, Type::EndOfStack, Type::Call,
                                           Type::Regs, Type::RegsPartial};

}  // namespace

struct OrcFormat {
  std::string_view versions;
  std::string_view hash;  // in orc_header, since 6.4: of how the entries are laid out
  const std::array<Base, 16>& registers;
  const std::array<Type, 8>& types;
  unsigned type_bits = 0;
  std::optional<unsigned> end_bit;
};

namespace {

constexpr std::array<OrcFormat, 4> formats = {{
    {"4.14 to 6.2", "", old_registers, old_types, 2, 10},
    {"6.3", "db84aed4103b31dd51e017f8f79783ca985c2c51", old_registers, old_types, 2, 11},
    {"6.4 to 7.0", "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24", old_registers, new_types, 3,
     std::nullopt},
    {"7.1", "137c36ad7627c4dd55932176bb0ecdbd5041fc82", new_registers, new_types, 3, std::nullopt},
}};

constexpr unsigned sp_base_shift = 0;
constexpr unsigned bp_base_shift = 4;
constexpr unsigned type_shift = 8;
constexpr unsigned base_mask = 15;

OrcEntry decode(const OrcFormat& format, std::span<const std::byte> bytes) {
  const auto number = [&](std::size_t at) {
    return static_cast<std::uint16_t>(load_unsigned(bytes.subspan(at, sizeof(std::uint16_t))));
  };
  const std::uint16_t bits = number(4);
  OrcEntry entry;
  entry.sp_offset = static_cast<std::int16_t>(number(0));
  entry.bp_offset = static_cast<std::int16_t>(number(2));
  entry.sp_base = format.registers[bits >> sp_base_shift & base_mask];
  entry.bp_base = format.registers[bits >> bp_base_shift & base_mask];
  entry.type = format.types[bits >> type_shift & ((1U << format.type_bits) - 1)];
  if (format.end_bit && entry.sp_base == Base::Undefined) {
    entry.type = (bits >> *format.end_bit & 1) != 0 ? Type::EndOfStack : Type::Undefined;
  }
  return entry;
}

// Calls of functions that have the stack pointer as their base, of `bytes` of entries: with the
// right format that is most of them, with another one hardly any.
std::size_t count_common(const OrcFormat& format, std::span<const std::byte> bytes) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + entry_bytes <= bytes.size(); at += entry_bytes) {
    const OrcEntry entry = decode(format, bytes.subspan(at, entry_bytes));
    if (entry.type == Type::Call && entry.sp_base == Base::Sp && entry.sp_offset > 0) ++count;
  }
  return count;
}

const OrcFormat* format_by_header(const GuestKernel& kernel) {
  const auto header = kernel.find_address("orc_header");
  std::array<std::byte, 20> bytes{};
  if (!header || !kernel.memory().read(*header, bytes)) return nullptr;
  std::string hash;
  for (const std::byte byte : bytes) hash += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  const auto* found = std::find_if(formats.begin(), formats.end(),
                                   [&](const OrcFormat& format) { return format.hash == hash; });
  return found == formats.end() ? nullptr : found;
}

// By what the entries look like. The first two formats differ in the bit `end` only, which the
// first has where the second has `signal`: an entry that is the end in one of them has it alone.
const OrcFormat* format_by_content(const GuestKernel& kernel, const OrcRange& range) {
  constexpr std::uint64_t most_entries = 16384;
  std::vector<std::byte> bytes(std::min(range.count, most_entries) * entry_bytes);
  if (!kernel.memory().read(range.entries, bytes)) return nullptr;
  const OrcFormat* best = nullptr;
  std::size_t best_count = bytes.size() / entry_bytes / 2;
  for (const OrcFormat& format : formats) {
    const std::size_t count = count_common(format, bytes);
    if (count > best_count) {
      best = &format;
      best_count = count;
    }
  }
  if (best != formats.data()) return best;
  constexpr std::uint16_t second_end = 1 << 11;
  for (std::size_t at = 4; at < bytes.size(); at += entry_bytes) {
    const auto bits = load_unsigned(std::span(bytes).subspan(at, sizeof(std::uint16_t)));
    if ((bits & second_end) != 0) return &formats[1];
  }
  return best;
}

}  // namespace

std::optional<OrcTables> OrcTables::find(const GuestKernel& kernel,
                                         const std::vector<Module>& modules,
                                         Diagnostics& diagnostics) {
  const auto begin = kernel.find_address("__start_orc_unwind_ip");
  const auto end = kernel.find_address("__stop_orc_unwind_ip");
  const auto entries = kernel.find_address("__start_orc_unwind");
  if (!begin || !end || !entries || *end <= *begin) return std::nullopt;
  const OrcRange range{*begin, *entries, (*end - *begin) / address_bytes};
  const OrcFormat* format = format_by_header(kernel);
  const bool has_header = format != nullptr;
  if (!has_header) format = format_by_content(kernel, range);
  if (format == nullptr) {
    diagnostics.warn_of_lack(
        "the kernel's tables for unwinding (ORC) are of no known format, or can't be read");
    return std::nullopt;
  }
  diagnostics.found(
      {.what = "ORC tables",
       .value = fmt::format("{} entries of the form of {}", range.count, format->versions),
       .where = "the guest's memory",
       .how = has_header ? "its header says so" : "most entries make sense so"});
  OrcTables tables(kernel, *format);
  for (const Module& module : modules) {
    if (!module.orc) continue;
    for (const CodeRange& code : module.text) {
      tables.tables_.push_back({code.begin, code.begin + code.size, *module.orc});
    }
  }
  // Behind the modules: without KASLR they begin where an image might still be.
  tables.tables_.push_back({kernel.memory().tables().architecture().map().image.begin,
                            kernel.memory().tables().architecture().map().image.end, range});
  return tables;
}

std::optional<GuestVirtual> OrcTables::address_at(const OrcRange& range,
                                                  std::uint64_t index) const {
  const GuestVirtual at = range.addresses + index * address_bytes;
  const auto offset = kernel_->memory().read_unsigned(at, address_bytes);
  if (!offset) return std::nullopt;
  const auto distance = static_cast<std::int32_t>(static_cast<std::uint32_t>(*offset));
  return at + static_cast<std::uint64_t>(std::int64_t{distance});
}

// The last entry at or before `address`.
std::optional<OrcEntry> OrcTables::look_up(const OrcRange& range, GuestVirtual address) const {
  std::uint64_t low = 0;
  std::uint64_t high = range.count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto begin = address_at(range, middle);
    if (!begin) return std::nullopt;
    if (*begin <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::array<std::byte, entry_bytes> bytes{};
  if (low == 0 || !kernel_->memory().read(range.entries + (low - 1) * entry_bytes, bytes)) {
    return std::nullopt;
  }
  return decode(*format_, bytes);
}

std::optional<OrcEntry> OrcTables::find(GuestVirtual address) const {
  const auto [known, is_new] = known_.try_emplace(address.value);
  if (!is_new) return known->second;
  for (const Table& table : tables_) {
    if (address < table.begin || address >= table.end) continue;
    known->second = look_up(table.range, address);
    break;
  }
  return known->second;
}

}  // namespace photon_dmesg
