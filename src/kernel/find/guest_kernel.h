#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "kernel/find/running_kernel.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// The guest's kernel with its symbols at their run-time addresses.
class GuestKernel {
 public:
  // Puts `symbols` onto the kernel that find_running_kernel() found. Throws Error(Mismatch) that
  // names both when they are not of the same build. Symbols that don't say which build they are of
  // are held against what the guest knows of its own addresses; that this can't be done is a
  // warning.
  [[nodiscard]] static GuestKernel attach(const RunningKernel& running,
                                          const KernelSymbols& symbols, Diagnostics& diagnostics);

  // Looks for the kernel of `symbols` in all of `memory`, when no vCPU leads to it: its banner at
  // each place a kernel can be loaded to, then the variable that says where it is. Throws
  // Error(Mismatch) when it is not there.
  [[nodiscard]] static GuestKernel search(const GuestMemory& memory, const KernelSymbols& symbols,
                                          Diagnostics& diagnostics);

  // The run-time address of what was linked at `linked`.
  [[nodiscard]] std::optional<GuestVirtual> at_run_time(std::optional<GuestVirtual> linked) const;
  // Run-time address of a symbol; nothing if the kernel has none of that name.
  [[nodiscard]] std::optional<GuestVirtual> find_address(std::string_view symbol) const;
  // The same for a function's static variable.
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view symbol) const;
  // The symbol that the run-time address `address` belongs to, if the symbols can tell.
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const;
  // As find_address(), but Error(UnusableInput) that names what is missing.
  [[nodiscard]] GuestVirtual address(std::string_view symbol) const;

  // The little-endian number of `width` bytes that the variable `symbol` holds. Throws
  // Error(UnusableInput) if the symbol is missing or its memory can't be read.
  [[nodiscard]] std::uint64_t variable(std::string_view symbol, std::size_t width) const;

  [[nodiscard]] const KernelImage& image() const { return *image_; }
  [[nodiscard]] std::shared_ptr<const KernelImage> shared_image() const { return image_; }
  [[nodiscard]] const KernelMemory& memory() const { return image_->memory(); }
  [[nodiscard]] const KernelSymbols& symbols() const { return symbols_; }
  [[nodiscard]] const KernelBanner& banner() const { return banner_; }
  [[nodiscard]] std::uint64_t kaslr_offset() const { return kaslr_offset_; }
  // Where the image lies in physical memory, as the kernel's variable of that name holds it:
  // "phys_base", "kimage_voffset".
  [[nodiscard]] std::uint64_t image_place() const { return image_place_; }
  [[nodiscard]] const char* place_variable() const;
  // From the notes in guest memory, lower-case hexadecimal.
  [[nodiscard]] std::optional<std::string> build_id() const;

 private:
  GuestKernel(std::shared_ptr<const KernelImage> image, const KernelSymbols& symbols,
              KernelBanner banner, std::uint64_t kaslr_offset, std::uint64_t image_place)
      : image_(std::move(image)),
        symbols_(symbols),
        banner_(std::move(banner)),
        kaslr_offset_(kaslr_offset),
        image_place_(image_place) {}

  struct SearchedKernel;
  // search() on one architecture; and at one place where the image may have been loaded.
  [[nodiscard]] static std::optional<GuestKernel> search_as(const Architecture& architecture,
                                                            const GuestMemory& memory,
                                                            const KernelSymbols& symbols,
                                                            Diagnostics& diagnostics);
  [[nodiscard]] static std::optional<GuestKernel> find_at(GuestPhysical load,
                                                          const Architecture& architecture,
                                                          const GuestMemory& memory,
                                                          const SearchedKernel& wanted);
  // `running`: null if the kernel was found by its symbols.
  void check_evidence(const RunningKernel* running, Diagnostics& diagnostics) const;
  void check_place(Diagnostics& diagnostics) const;

  std::shared_ptr<const KernelImage> image_;
  const KernelSymbols& symbols_;
  KernelBanner banner_;
  std::uint64_t kaslr_offset_;
  std::uint64_t image_place_;
};

}  // namespace photon_dmesg
