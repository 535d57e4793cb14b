#include "kernel/memory_symbols.h"

#include <fmt/format.h>

#include "base/error.h"
#include "kernel/image_ranges.h"
#include "kernel/kernel_log.h"
#include "kernel/kernel_memory.h"
#include "kernel/ring_signature.h"
#include "kernel/x86_64.h"

namespace photon_dmesg {
namespace {

// The image begins with its text, and nothing is mapped below it.
std::optional<GuestVirtual> lowest_address(const ImageRanges& image) {
  std::optional<GuestVirtual> lowest;
  for (const std::vector<ImageRange>* ranges : {&image.read_only, &image.other}) {
    if (!ranges->empty() && (!lowest || ranges->front().begin < *lowest)) {
      lowest = ranges->front().begin;
    }
  }
  return lowest;
}

}  // namespace

std::unique_ptr<MemorySymbols> MemorySymbols::find(const GuestMemory& memory,
                                                   const RunningKernel& kernel,
                                                   Diagnostics& diagnostics) {
  std::unique_ptr<MemorySymbols> symbols(new MemorySymbols());
  symbols->kallsyms_ = Kallsyms::find(memory, kernel, diagnostics);
  symbols->origin_ = "kallsyms";
  if (has_log(*symbols)) {
    return symbols;
  }
  const ImageRanges image = find_image_ranges(kernel.tables);
  const std::optional<FoundRing> ring =
      find_ring(KernelMemory(memory, kernel.tables), image, diagnostics);
  if (!ring) {
    throw unusable(fmt::format(
        "{}: the log of Linux {} was not found without symbols: give the release's ISO, its kernel "
        "or debuginfo package, a vmlinux or a System.map",
        memory.name(), kernel.banner().release));
  }
  const std::uint64_t kaslr_offset =
      symbols->kallsyms_
          ? symbols->kallsyms_->kaslr_offset()
          : lowest_address(image).value_or(x86_64::linked_text) - x86_64::linked_text;
  const auto linked = [&](GuestVirtual address) {
    return GuestVirtual{address.value - kaslr_offset};
  };
  symbols->found_["linux_banner"] = linked(kernel.best_banner().address);
  symbols->found_["prb"] = linked(ring->pointer);
  symbols->origin_ = "ring";
  return symbols;
}

std::optional<GuestVirtual> MemorySymbols::find_symbol(std::string_view name) const {
  if (const auto found = found_.find(name); found != found_.end()) {
    return found->second;
  }
  return kallsyms_ ? kallsyms_->find_symbol(name) : std::nullopt;
}

}  // namespace photon_dmesg
