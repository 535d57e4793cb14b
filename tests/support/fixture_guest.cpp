#include "support/fixture_guest.h"

#include <elf.h>

#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/find/running_kernel.h"
#include "kernel/printk/kernel_log.h"
#include "support/file_content.h"
#include "support/open_vmlinux.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t memory_size = 0x4000000;
constexpr std::uint64_t linked_text = 0xffffffff81000000;
constexpr std::uint64_t image_size = 0x400000;
constexpr GuestPhysical tables{0x100000};

}  // namespace

FixtureGuest::FixtureGuest(const std::filesystem::path& vmlinux)
    : memory_(std::make_unique<FakeMemory>(memory_size)), vmlinux_(open_vmlinux(vmlinux)) {
  load_image(vmlinux);
  map_image();
  set("phys_base",
      load_address.value - (linked_text + kaslr_offset) + x86_64::start_kernel_map.value);
  vcpu_.x86.cr[0] = x86_64::cr0_paging;
  vcpu_.x86.cr[3] = tables.value;
  vcpu_.x86.cr[4] = 0;
  vcpu_.x86.rip = address("_text");
}

void FixtureGuest::load_image(const std::filesystem::path& path) {
  const std::string bytes = file_content(path);
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(bytes.data());
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto* segment = reinterpret_cast<const Elf64_Phdr*>(bytes.data() + header->e_phoff) + i;
    if (segment->p_type == PT_LOAD && segment->p_vaddr >= linked_text) {
      memory_->write_text(load_address + (segment->p_vaddr - linked_text),
                          {bytes.data() + segment->p_offset, segment->p_filesz});
    }
  }
}

void FixtureGuest::map_image() {
  PageTableBuilder builder(*memory_, tables, PagingLevels::Four);
  constexpr std::uint64_t page = 0x200000;
  for (std::uint64_t at = 0; at < image_size; at += page) {
    builder.map(GuestVirtual{linked_text + kaslr_offset + at}, load_address + at, 2);
  }
}

GuestVirtual FixtureGuest::address(std::string_view symbol) const {
  return vmlinux_->symbol(symbol) + kaslr_offset;
}

GuestPhysical FixtureGuest::at(std::string_view symbol) const {
  return load_address + (vmlinux_->symbol(symbol).value - linked_text);
}

CollectedLog FixtureGuest::read_log(const KernelSymbols& symbols) {
  const std::optional<RunningKernel> running = find_running_kernel(*memory_, {vcpu_}, diagnostics_);
  if (!running) throw std::logic_error("the fixture's kernel was not found");
  const GuestKernel kernel = GuestKernel::attach(*running, symbols, diagnostics_);
  const KernelLogReader reader(kernel, diagnostics_);
  CollectedLog log;
  static_cast<KernelLog&>(log) = reader.read([&](LogRecord record) {
    log.records.push_back(std::move(record));
    return true;
  });
  log.positions = reader.positions();
  return log;
}

}  // namespace photon_dmesg::test
