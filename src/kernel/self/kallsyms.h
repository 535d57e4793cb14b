#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "kernel/arch/architecture.h"
#include "kernel/find/running_kernel.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/symbols/kallsyms_table.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// KernelSymbols from the table that a kernel carries in its own memory for /proc/kallsyms
// (CONFIG_KALLSYMS): functions, and with CONFIG_KALLSYMS_ALL every variable. No layouts, no banner,
// no build-id.
class Kallsyms final : public KernelSymbols {
 public:
  // Looks for the table in the image of `kernel`. Nothing if there is none that makes sense.
  [[nodiscard]] static std::unique_ptr<Kallsyms> find(const RunningKernel& kernel,
                                                      Diagnostics& diagnostics);

  // By how much the kernel runs above the address that kernels are linked at.
  [[nodiscard]] std::uint64_t kaslr_offset() const { return kaslr_offset_; }
  // What is known better than by the first of the functions: where the image begins is not among
  // them in kernels without KALLSYMS_ALL.
  void set_kaslr_offset(std::uint64_t offset) { kaslr_offset_ = offset; }

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override;
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  // Where a function's code stands at run time; it ends where the next symbol begins.
  struct Range {
    GuestVirtual begin;
    std::uint64_t size = 0;  // bytes
  };
  [[nodiscard]] std::optional<Range> find_function(std::string_view name) const;

  // `architecture`: of the kernel; must outlive this object. `linked_text`: where its _text is
  // linked. `image`: what `table` refers to, if it does not keep that itself.
  Kallsyms(KallsymsTable table, const Architecture& architecture, GuestVirtual linked_text,
           std::shared_ptr<const KernelImage> image = nullptr);

 private:
  [[nodiscard]] GuestVirtual linked(GuestVirtual run_time) const;

  std::string name_ = "kallsyms in the guest's memory";
  const Architecture* architecture_;
  std::shared_ptr<const KernelImage> image_;
  KallsymsTable table_;
  std::uint64_t kaslr_offset_ = 0;
};

}  // namespace photon_dmesg
