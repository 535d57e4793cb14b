#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// The string linux_banner of a kernel (init/version.c): which build it is.
struct KernelBanner {
  std::string text;     // without the newline it ends with
  std::string release;  // as `uname -r`, such as 4.19.325-1.ph3-esx
};

// When the kernel was compiled, in seconds since 1970, if its banner ends with that time as Linux
// writes it ("#1-photon SMP Thu Jun 9 21:51:19 UTC 2016"); some distributions put their own there.
[[nodiscard]] std::optional<std::int64_t> build_time(const KernelBanner& banner);

// Whether it says which build of its release it is: "#1" behind the compiler. One of the two that
// kernels since 6.1 have says "#" alone.
[[nodiscard]] bool has_build_number(const KernelBanner& banner);

inline constexpr std::string_view banner_prefix = "Linux version ";

// Where the next banner_prefix begins in `text`, at `from` or behind it; npos if there is none.
[[nodiscard]] std::size_t find_banner_prefix(std::string_view text, std::size_t from);

// Longer than any banner: what must be read to be sure to have all of it.
inline constexpr std::size_t banner_bytes_limit = 1024;

// The banner that `bytes` begins with: "Linux version RELEASE (...) ...\n" and a NUL. Nothing for
// the format strings and log records that begin alike.
[[nodiscard]] std::optional<KernelBanner> parse_banner(std::string_view bytes);

// The banner of the build that `symbols` are of, if the source holds it.
[[nodiscard]] std::optional<KernelBanner> banner_of(const KernelSymbols& symbols);

}  // namespace photon_dmesg
