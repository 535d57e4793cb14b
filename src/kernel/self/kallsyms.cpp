#include "kernel/self/kallsyms.h"

#include <utility>

#include "kernel/arch/kaslr_offset.h"
#include "kernel/find/guest_kallsyms.h"

namespace photon_dmesg {

Kallsyms::Kallsyms(KallsymsTable table, const Architecture& architecture, GuestVirtual linked_text,
                   std::shared_ptr<const KernelImage> image)
    : architecture_(&architecture), image_(std::move(image)), table_(std::move(table)) {
  if (const std::optional<GuestVirtual> text = table_.find("_text")) {
    kaslr_offset_ = kaslr_offset_of(*text - linked_text, architecture.map());
  } else if (const std::optional<GuestVirtual> code = table_.find("_stext")) {
    // Start-up code stands before _stext, outside of what kallsyms without variables hold: until
    // 4.14 some bytes, on arm64 up to what the image is aligned to.
    const std::uint64_t alignment = architecture.map().image_alignment;
    kaslr_offset_ =
        kaslr_offset_of((*code - linked_text - 1) & ~(alignment - 1), architecture.map());
  }
}

std::optional<SymbolPlace> Kallsyms::find_place(GuestVirtual address) const {
  return table_.find_place(address + kaslr_offset_);
}

void Kallsyms::for_each_symbol(const SymbolVisit& visit) const {
  table_.for_each([&](std::string_view name, GuestVirtual address, SymbolBinding binding) {
    visit(name, linked(address), binding);
  });
}

std::optional<Kallsyms::Range> Kallsyms::find_function(std::string_view name) const {
  const std::optional<GuestVirtual> begin = table_.find(name);
  if (!begin) return std::nullopt;
  std::optional<GuestVirtual> end;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const GuestVirtual address = table_.address(i);
    if (address > *begin && (!end || address < *end)) end = address;
  }
  return end ? std::optional(Range{*begin, *end - *begin}) : std::nullopt;
}

// What is not in the image, such as a per-CPU offset, does not move with it.
GuestVirtual Kallsyms::linked(GuestVirtual run_time) const {
  return architecture_->is_image_address(run_time) ? GuestVirtual{run_time.value - kaslr_offset_}
                                                   : run_time;
}

std::optional<GuestVirtual> Kallsyms::find_symbol(std::string_view name) const {
  const std::optional<GuestVirtual> address = table_.find(name);
  return address ? std::optional(linked(*address)) : std::nullopt;
}

std::optional<GuestVirtual> Kallsyms::find_static(std::string_view name) const {
  const std::optional<GuestVirtual> address = table_.find_static(name);
  return address ? std::optional(linked(*address)) : std::nullopt;
}

std::unique_ptr<Kallsyms> Kallsyms::find(const RunningKernel& kernel, Diagnostics& diagnostics) {
  std::optional<KallsymsTable> table = find_kallsyms(*kernel.image, diagnostics);
  if (!table) return nullptr;
  return std::make_unique<Kallsyms>(std::move(*table), kernel.tables().architecture(),
                                    kernel.linked_text(), kernel.image);
}

}  // namespace photon_dmesg
