#include "kernel/self/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernel/arch/architecture.h"
#include "kernel/arch/kaslr_offset.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/kallsyms_parser.h"

namespace photon_dmesg {
namespace {

// Whether `table` is that of a kernel image: its text begins and ends where such an image may.
bool fits_kernel(const KallsymsTable& table, const KernelImage& image) {
  const KernelMemory& memory = image.memory();
  const std::optional<GuestVirtual> text = table.find("_stext");
  const std::optional<GuestVirtual> text_end = table.find("_etext");
  const std::optional<GuestVirtual> banner = table.find("linux_banner");
  const Architecture::Range& place = image.tables().architecture().map().image;
  return text && text_end && *text < *text_end && *text >= place.begin && *text_end < place.end &&
         memory.translate(*text) && memory.translate(GuestVirtual{text_end->value - 1}) &&
         (!banner || banner_at(image, *banner));
}

}  // namespace

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
  const KernelImage& image = *kernel.image;
  const auto is_right = [&](const KallsymsTable& table) { return fits_kernel(table, image); };
  Budget budget = kallsyms_budget();
  // The table is read-only data, but not every kernel protects that.
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) {
      if (auto table = parse_kallsyms(image.bytes(range), range.begin, budget, is_right)) {
        diagnostics.found({.what = "symbols",
                           .value = fmt::format("{}", table->size()),
                           .where = "kallsyms",
                           .how = fmt::format("a table in the guest's memory, in {} to {}",
                                              range.begin, range.begin + range.size)});
        return std::make_unique<Kallsyms>(std::move(*table), kernel.tables().architecture(),
                                          kernel.linked_text(), kernel.image);
      }
    }
  }
  budget.warn_if_exceeded("kallsyms in the guest's memory", diagnostics);
  diagnostics.found(
      {.what = "no table", .where = "kallsyms", .how = "none was found in the kernel image"});
  return nullptr;
}

}  // namespace photon_dmesg
