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

const PageTables::Page* KernelMemory::page_of(GuestVirtual address) const {
  std::optional<PageTables::Page>& slot =
      translations_[(address.value >> small_page_shift) % translation_slots];
  if (!slot || !covers(*slot, address)) {
    slot = tables_.find(address);
  }
  return slot ? &*slot : nullptr;
}

std::optional<GuestPhysical> KernelMemory::translate(GuestVirtual address) const {
  const PageTables::Page* page = page_of(address);
  if (page == nullptr) {
    return std::nullopt;
  }
  return page->physical_address + (address - page->virtual_address);
}

bool KernelMemory::read(GuestVirtual address, std::span<std::byte> target) const {
  while (!target.empty()) {
    const PageTables::Page* page = page_of(address);
    if (page == nullptr) {
      return false;
    }
    const std::uint64_t inside = address - page->virtual_address;
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(target.size(), page->size - inside));
    if (!memory_->read(page->physical_address + inside, target.first(count))) {
      return false;
    }
    address = address + count;
    target = target.subspan(count);
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
