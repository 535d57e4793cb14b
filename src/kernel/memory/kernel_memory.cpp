#include "kernel/memory/kernel_memory.h"

#include <algorithm>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

constexpr unsigned small_page_shift = 12;

bool covers(const PageTables::Page& page, GuestVirtual address) {
  return address - page.virtual_address < page.size;
}

}  // namespace

// From `address` to the end of its page.
std::optional<KernelMemory::Run> KernelMemory::page_rest(GuestVirtual address) const {
  std::optional<PageTables::Page>& slot =
      translations_[(address.value >> small_page_shift) % translation_slots];
  if (!slot || !covers(*slot, address)) {
    slot = tables_.find(address);
  }
  if (!slot) return std::nullopt;
  const std::uint64_t inside = address - slot->virtual_address;
  return Run{slot->physical_address + inside, slot->size - inside};
}

// From `address` on over all pages that follow each other in RAM too, up to `most` bytes: one read,
// where a kernel has cut what it mapped as a whole into small pages.
std::optional<KernelMemory::Run> KernelMemory::find_run(GuestVirtual address,
                                                        std::uint64_t most) const {
  std::optional<Run> run = page_rest(address);
  while (run && run->size < most) {
    const std::optional<Run> next = page_rest(address + run->size);
    if (!next || next->begin != run->begin + run->size) return run;
    run->size += next->size;
  }
  if (run) run->size = std::min(run->size, most);
  return run;
}

std::optional<GuestPhysical> KernelMemory::translate(GuestVirtual address) const {
  const std::optional<Run> page = page_rest(address);
  return page ? std::optional(page->begin) : std::nullopt;
}

bool KernelMemory::read(GuestVirtual address, std::span<std::byte> target) const {
  while (!target.empty()) {
    const std::optional<Run> run = find_run(address, target.size());
    if (!run || !memory_->read(run->begin, target.first(static_cast<std::size_t>(run->size)))) {
      return false;
    }
    address = address + run->size;
    target = target.subspan(static_cast<std::size_t>(run->size));
  }
  return true;
}

std::optional<std::string> KernelMemory::read_text(GuestVirtual address, std::size_t most) const {
  std::string text(std::min(most, longest_text), '\0');
  if (!read(address, std::as_writable_bytes(std::span(text)))) {
    return std::nullopt;
  }
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::optional<std::uint64_t> KernelMemory::read_unsigned(GuestVirtual address,
                                                         std::size_t width) const {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  const std::span<std::byte> target = std::span(bytes).first(std::min(width, bytes.size()));
  if (!read(address, target)) {
    return std::nullopt;
  }
  return load_unsigned(target);
}

}  // namespace photon_dmesg
