#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/arch/architecture.h"
#include "kernel/find/running_kernel.h"
#include "kernel/find/vmcoreinfo.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/self/kallsyms.h"
#include "kernel/self/printk_log_signature.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// KernelSymbols read out of the guest itself, for when nothing but the checkpoint is at hand: the
// kernel's own kallsyms, and where these hold functions only (linux-esx), its
// VMCOREINFO, or the log's variables by the code that uses them or by their form.
class MemorySymbols final : public KernelSymbols {
 public:
  // Throws Error(UnusableInput) that says what to give if the log can't be found so.
  [[nodiscard]] static std::unique_ptr<MemorySymbols> find(const GuestMemory& memory,
                                                           const RunningKernel& kernel,
                                                           Diagnostics& diagnostics);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override;
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] bool is_of_guest_itself() const override { return true; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  // Which evidence it is made of, for the report: "kallsyms"; "vmcoreinfo"; "code" that uses the
  // log's variables; the form of the "ring", or of "records" in log_buf.
  [[nodiscard]] const std::string& origin() const { return origin_; }

 private:
  explicit MemorySymbols(const Architecture& architecture) : architecture_(&architecture) {}

  // Takes from the guest's VMCOREINFO what that has elsewhere than kallsyms, which is said: of two
  // that contradict each other, the shorter one is damaged less often, and damage of a page makes
  // it no VMCOREINFO at all.
  void mend_kallsyms(const RunningKernel& kernel, Diagnostics& diagnostics);
  // Looks for the log in the image; false if it is not found.
  bool find_log(const KernelImage& image, Diagnostics& diagnostics);
  void add(const std::string& name, GuestVirtual run_time);
  void add(const PrintkLogVariables& log);
  void add(const Vmcoreinfo& info);

  const Architecture* architecture_;
  std::string name_ = "the guest's memory";
  std::string origin_;
  std::unique_ptr<Kallsyms> kallsyms_;
  std::uint64_t kaslr_offset_ = 0;
  std::map<std::string, GuestVirtual, std::less<>> found_;  // as linked
};

}  // namespace photon_dmesg
