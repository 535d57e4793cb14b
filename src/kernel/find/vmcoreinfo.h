#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// What a kernel with CONFIG_KEXEC_CORE or CONFIG_PROC_KCORE says of itself for crash dumps: lines
// of text, such as "SYMBOL(prb)=ffffffff82a4a858", addresses with the KASLR offset included
// (kernel/vmcore_info.c, before 6.9 kernel/crash_core.c, before 4.13 kernel/kexec_core.c).
class Vmcoreinfo {
 public:
  // Takes the text apart, which ends with the first NUL. Nothing unless every line is of the form
  // NAME=VALUE or NAME(...)=VALUE and there are those that no VMCOREINFO lacks.
  [[nodiscard]] static std::optional<Vmcoreinfo> parse(std::string_view text);

  // The lines, by what stands before their "=".
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& entries() const {
    return entries_;
  }

  // All of it, as the kernel wrote it.
  [[nodiscard]] const std::string& text() const { return text_; }

  [[nodiscard]] const std::string& release() const { return entries_.at("OSRELEASE"); }
  // Run-time address of a symbol.
  [[nodiscard]] std::optional<GuestVirtual> symbol(std::string_view name) const;
  // All symbols it names, at their run-time addresses.
  [[nodiscard]] std::map<std::string, GuestVirtual> symbols() const;
  // By how much the kernel runs above its linked address; 0 before there was KASLR.
  [[nodiscard]] std::uint64_t kaslr_offset() const;
  // The number that it gives for a variable (phys_base: 4.13 and later; kimage_voffset: 4.12).
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;

 private:
  std::string text_;
  std::map<std::string, std::string, std::less<>> entries_;
};

// Reads it where the kernel's variable vmcoreinfo_data is: the text itself up to 4.12, a pointer to
// its page since. Nothing if there is no such text.
[[nodiscard]] std::optional<Vmcoreinfo> read_vmcoreinfo(const KernelMemory& memory,
                                                        GuestVirtual variable);

// Looks for it without symbols: the image holds the text, or a pointer to the page that begins with
// it. What merely lies in memory (a copy in the page cache, or left from an earlier boot) is not
// found so, and what is found must name `release` and lead to an init_uts_ns that says the same.
[[nodiscard]] std::optional<Vmcoreinfo> find_vmcoreinfo(const KernelImage& image,
                                                        const std::string& release,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
