#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/kernel_memory.h"

namespace photon_dmesg {

// The string linux_banner of a kernel (init/version.c): which build it is.
struct KernelBanner {
  std::string text;     // without the newline it ends with
  std::string release;  // as `uname -r`, such as 4.19.325-1.ph3-esx
};

inline constexpr std::string_view banner_prefix = "Linux version ";

// Longer than any banner: what must be read to be sure to have all of it.
inline constexpr std::size_t banner_bytes_limit = 1024;

// The banner that `bytes` begins with: "Linux version RELEASE (...) ...\n" and a NUL. Nothing for
// the format strings and log records that begin alike.
[[nodiscard]] std::optional<KernelBanner> parse_banner(std::string_view bytes);

struct FoundBanner {
  KernelBanner banner;
  GuestVirtual address;
};

// The banner in the kernel image that `tables` map: read-only data first, as it is there since the
// kernel protects its memory, then everything else.
[[nodiscard]] std::optional<FoundBanner> find_banner(const GuestMemory& memory,
                                                     const PageTables& tables);

}  // namespace photon_dmesg
