#include "kernel/self/memory_symbols.h"

#include <fmt/format.h>

#include "base/budget.h"
#include "base/error.h"
#include "kernel/arch/architecture.h"
#include "kernel/arch/kaslr_offset.h"
#include "kernel/find/vmcoreinfo.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/printk/printk_ringbuffer.h"
#include "kernel/self/printk_ringbuffer_signature.h"

namespace photon_dmesg {
namespace {

// What the kernel itself names as its own, if kallsyms tells that it names any.
std::optional<Vmcoreinfo> find_named_vmcoreinfo(const RunningKernel& kernel,
                                                const Kallsyms& kallsyms,
                                                Diagnostics& diagnostics) {
  const auto variable = kallsyms.find_symbol("vmcoreinfo_data");
  if (!variable) return std::nullopt;
  const std::string& release = kernel.banner().release;
  auto info = read_vmcoreinfo(kernel.image->memory(), *variable + kallsyms.kaslr_offset());
  if (info && info->release() == release) return info;
  return find_vmcoreinfo(*kernel.image, release, diagnostics);
}

// Whether `prb`, at run time, points to a ring that has records.
bool leads_to_ring(const KernelMemory& memory, GuestVirtual prb) {
  const auto ring = memory.read_unsigned(prb, sizeof(std::uint64_t));
  Budget budget = ring_budget();
  return ring && find_ring_window(memory, {*ring}, budget).records > 0;
}

}  // namespace

std::unique_ptr<MemorySymbols> MemorySymbols::find(const GuestMemory& memory,
                                                   const RunningKernel& kernel,
                                                   Diagnostics& diagnostics) {
  std::unique_ptr<MemorySymbols> symbols(new MemorySymbols(kernel.tables().architecture()));
  symbols->kallsyms_ = Kallsyms::find(kernel, diagnostics);
  symbols->origin_ = "kallsyms";
  if (has_log(*symbols)) {
    symbols->mend_kallsyms(kernel, diagnostics);
    return symbols;
  }
  const KernelImage& image = *kernel.image;
  const GuestVirtual linked = kernel.linked_begin();
  symbols->kaslr_offset_ = symbols->kallsyms_
                               ? symbols->kallsyms_->kaslr_offset()
                               : kaslr_offset_of(image.begin().value_or(linked) - linked,
                                                 kernel.tables().architecture().map());
  if (const auto info = find_vmcoreinfo(image, kernel.banner().release, diagnostics)) {
    symbols->add(*info);
  }
  symbols->add("linux_banner", kernel.best_banner().address);
  if (!symbols->find_log(image, diagnostics)) {
    throw unusable(fmt::format(
        "{}: the log of Linux {} was not found without symbols: give the release's ISO, its kernel "
        "or debuginfo package, a vmlinux or a System.map",
        memory.name(), kernel.banner().release));
  }
  return symbols;
}

void MemorySymbols::mend_kallsyms(const RunningKernel& kernel, Diagnostics& diagnostics) {
  const auto info = find_named_vmcoreinfo(kernel, *kallsyms_, diagnostics);
  if (!info) return;
  kaslr_offset_ = kallsyms_->kaslr_offset();
  const KernelMemory& memory = kernel.image->memory();
  const Architecture::Range& image = kernel.image->range();
  for (const auto& [name, said] : info->symbols()) {
    const auto linked = kallsyms_->find_symbol(name);
    // Some entries are what a pointer of that name holds: no address in the image.
    if (!linked || said < image.begin || said >= image.end) continue;
    const GuestVirtual ours = *linked + kaslr_offset_;
    if (ours == said) continue;
    const bool is_right =
        name == "prb" && leads_to_ring(memory, ours) && !leads_to_ring(memory, said);
    diagnostics.warn_of_lack(fmt::format(
        "{} is at {} by {}, at {} by the guest's VMCOREINFO: {} is taken, others may be wrong",
        name, ours, kallsyms_->name(), said, is_right ? ours : said));
    if (!is_right) add(name, said);
  }
}

void MemorySymbols::add(const std::string& name, GuestVirtual run_time) {
  // What is not in the image does not move with it.
  found_[name] = architecture_->is_image_address(run_time)
                     ? GuestVirtual{run_time.value - kaslr_offset_}
                     : run_time;
}

void MemorySymbols::add(const Vmcoreinfo& info) {
  kaslr_offset_ = info.kaslr_offset();
  if (kallsyms_) kallsyms_->set_kaslr_offset(kaslr_offset_);
  for (const auto& [name, address] : info.symbols()) {
    // clear_seq has changed its form, and only symbols that are not here tell which it has.
    if (name != "clear_seq") add(name, address);
  }
  origin_ = "vmcoreinfo";
}

bool MemorySymbols::find_log(const KernelImage& image, Diagnostics& diagnostics) {
  if (find_symbol("prb")) {
    return true;
  }
  if (kallsyms_) {
    if (const auto log = find_printk_log_by_code(image.memory(), *kallsyms_, diagnostics)) {
      add(*log);
      if (const auto buffer = find_static_log_buf(image)) add("__log_buf", *buffer);
      origin_ = "code";
      return true;
    }
  }
  if (has_log(*this)) {
    return true;  // by VMCOREINFO, which does not name all of its variables
  }
  if (const std::optional<FoundRing> ring = find_ring(image, diagnostics)) {
    add("prb", ring->pointer);
    if (ring->replaced) add("printk_rb_static", *ring->replaced);
    origin_ = "ring";
    return true;
  }
  if (const auto log = find_printk_log_by_form(image, diagnostics)) {
    add(*log);
    if (const auto buffer = find_static_log_buf(image)) add("__log_buf", *buffer);
    origin_ = "records";
    return true;
  }
  return false;
}

void MemorySymbols::add(const PrintkLogVariables& log) {
  // What VMCOREINFO names is exact; of code and values it is a conclusion.
  const auto conclude = [&](const char* name, GuestVirtual address) {
    if (!found_.contains(name)) add(name, address);
  };
  conclude("log_buf", log.log_buf);
  conclude("log_buf_len", log.log_buf_len);
  if (log.range) {
    conclude("log_first_seq", log.range->log_first_seq);
    conclude("log_first_idx", log.range->log_first_idx);
    conclude("log_next_seq", log.range->log_next_seq);
    conclude("log_next_idx", log.range->log_next_idx);
  }
}

std::optional<GuestVirtual> MemorySymbols::find_symbol(std::string_view name) const {
  if (const auto found = found_.find(name); found != found_.end()) {
    return found->second;
  }
  return kallsyms_ ? kallsyms_->find_symbol(name) : std::nullopt;
}

std::optional<GuestVirtual> MemorySymbols::find_static(std::string_view name) const {
  if (const auto found = found_.find(name); found != found_.end()) {
    return found->second;
  }
  return kallsyms_ ? kallsyms_->find_static(name) : std::nullopt;
}

std::optional<SymbolPlace> MemorySymbols::find_place(GuestVirtual address) const {
  return kallsyms_ ? kallsyms_->find_place(address) : std::nullopt;
}

void MemorySymbols::for_each_symbol(const SymbolVisit& visit) const {
  for (const auto& [name, address] : found_) visit(name, address, SymbolBinding::Global);
  if (!kallsyms_) return;
  kallsyms_->for_each_symbol(
      [&](std::string_view name, GuestVirtual address, SymbolBinding binding) {
        if (!found_.contains(name)) visit(name, address, binding);
      });
}

}  // namespace photon_dmesg
