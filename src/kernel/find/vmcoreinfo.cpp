#include "kernel/find/vmcoreinfo.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/architecture.h"
#include "kernel/arch/dump_number.h"
#include "kernel/find/uts_namespace.h"
#include "kernel/memory/kernel_image.h"

namespace photon_dmesg {
namespace {

constexpr std::string_view beginning = "OSRELEASE=";
constexpr std::size_t page = 4096;  // VMCOREINFO_BYTES

// "NAME" or "NAME(what.ever)".
bool is_key(std::string_view key) {
  const std::string_view name = key.substr(0, key.find('('));
  const std::string_view rest = key.substr(name.size());
  const bool is_name = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return is_name && !name.empty() && (rest.empty() || rest.ends_with(')'));
}

std::optional<Vmcoreinfo> read_text(const KernelMemory& memory, GuestVirtual address) {
  std::string text(beginning.size(), '\0');
  if (!memory.read(address, std::as_writable_bytes(std::span(text))) || text != beginning) {
    return std::nullopt;
  }
  text.resize(page);
  if (!memory.read(address, std::as_writable_bytes(std::span(text)))) return std::nullopt;
  return Vmcoreinfo::parse(text);
}

bool is_of_kernel(const Vmcoreinfo& found, const KernelMemory& memory, const std::string& release) {
  const std::optional<GuestVirtual> names = found.symbol("init_uts_ns");
  return found.release() == release && names && has_release(memory, *names, release);
}

}  // namespace

std::optional<Vmcoreinfo> Vmcoreinfo::parse(std::string_view text) {
  const std::size_t end = text.find('\0');
  // The format strings that the kernel makes it of have a conversion there.
  if (end == std::string_view::npos || !text.starts_with(beginning)) return std::nullopt;
  text = text.substr(0, end);
  Vmcoreinfo result;
  result.text_ = text;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !is_key(line.substr(0, equals)) ||
        line.find('%') != std::string_view::npos) {
      return std::nullopt;
    }
    result.entries_.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  const bool complete = result.symbol("_stext") && result.symbol("init_uts_ns");
  return complete ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<GuestVirtual> Vmcoreinfo::symbol(std::string_view name) const {
  const auto found = entries_.find(fmt::format("SYMBOL({})", name));
  if (found == entries_.end()) return std::nullopt;
  const auto value = parse_dump_number(found->second, 16);
  return value ? std::optional(GuestVirtual{*value}) : std::nullopt;
}

std::map<std::string, GuestVirtual> Vmcoreinfo::symbols() const {
  constexpr std::string_view prefix = "SYMBOL(";
  std::map<std::string, GuestVirtual> symbols;
  for (const auto& [key, value] : entries_) {
    if (!key.starts_with(prefix)) continue;
    const std::string name = key.substr(prefix.size(), key.size() - prefix.size() - 1);
    if (const auto address = symbol(name)) symbols.emplace(name, *address);
  }
  return symbols;
}

std::uint64_t Vmcoreinfo::kaslr_offset() const {
  const auto found = entries_.find("KERNELOFFSET");
  return found == entries_.end() ? 0 : parse_dump_number(found->second, 16).value_or(0);
}

std::optional<std::uint64_t> Vmcoreinfo::number(std::string_view name) const {
  const auto found = entries_.find(fmt::format("NUMBER({})", name));
  if (found == entries_.end()) return std::nullopt;
  // Some are hexadecimal; others are signed: a kernel loaded low has a negative phys_base.
  const std::string_view text = found->second;
  if (!text.starts_with('-')) return parse_dump_number(text, 10);
  const auto value = parse_dump_number(text.substr(1), 10);
  return value ? std::optional(0 - *value) : std::nullopt;
}

std::optional<Vmcoreinfo> read_vmcoreinfo(const KernelMemory& memory, GuestVirtual variable) {
  const std::uint64_t pointer = memory.read_unsigned(variable, sizeof(std::uint64_t)).value_or(0);
  if (memory.tables().architecture().is_kernel_pointer(pointer)) {
    if (auto found = read_text(memory, {pointer})) return found;
  }
  return read_text(memory, variable);
}

std::optional<Vmcoreinfo> find_vmcoreinfo(const KernelImage& image, const std::string& release,
                                          Diagnostics& diagnostics) {
  std::optional<Vmcoreinfo> result;
  constexpr std::size_t word = sizeof(std::uint64_t);
  const std::uint64_t begins_so = load_unsigned(std::as_bytes(std::span(beginning)).first(word));
  const KernelMemory& memory = image.memory();
  const Architecture& architecture = memory.tables().architecture();
  // A kernel has some thousand pointers to pages in its image, and many of them more than once.
  Budget budget("places where VMCOREINFO may be", std::uint64_t{1} << 18);
  std::unordered_set<std::uint64_t> seen;
  image.for_each_word([&](GuestVirtual address, std::span<const std::byte> bytes) {
    const std::uint64_t value = load_unsigned(bytes.first(word));
    const bool is_page = architecture.is_kernel_pointer(value) && value % page == 0;
    if (!is_page && value != begins_so) return true;
    if (!seen.insert(is_page ? value : address.value).second) return true;
    if (!budget.take()) return false;
    std::optional<Vmcoreinfo> found = read_text(memory, is_page ? GuestVirtual{value} : address);
    if (!found) return true;
    if (is_of_kernel(*found, memory, release)) {
      diagnostics.found(
          {.what = "release",
           .value = std::string(found->release()),
           .where = fmt::format("VMCOREINFO at {}", is_page ? GuestVirtual{value} : address)});
      result = std::move(found);
    } else {
      diagnostics.found(
          {.what = "release",
           .value = std::string(found->release()),
           .where = fmt::format("VMCOREINFO at {}", is_page ? GuestVirtual{value} : address),
           .how = "not this kernel's"});
    }
    return !result;
  });
  budget.warn_if_exceeded("the guest's memory", diagnostics);
  return result;
}

}  // namespace photon_dmesg
