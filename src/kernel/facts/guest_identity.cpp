#include "kernel/facts/guest_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernel/find/uts_namespace.h"

namespace photon_dmesg {
namespace {

// sysctl_bootid (drivers/char/random.c) holds a random UUID of version 4 in the order of its bytes.
std::optional<std::string> read_boot_id(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> address = kernel.find_address("sysctl_bootid");
  std::array<std::byte, 16> bytes{};
  if (!address || !kernel.memory().read(*address, bytes)) return std::nullopt;
  const auto version = std::to_integer<unsigned>(bytes[6]) >> 4U;
  const auto variant = std::to_integer<unsigned>(bytes[8]) >> 6U;
  if (version != 4 || variant != 2) return std::nullopt;  // not made yet, or not what it should be
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

}  // namespace

GuestIdentity read_guest_identity(const GuestKernel& kernel, Diagnostics& diagnostics) {
  GuestIdentity identity;
  if (const auto names = kernel.find_address("init_uts_ns")) {
    identity.hostname = read_node_name(kernel.memory(), *names, kernel.banner().release);
  }
  // What a kernel is called until somebody names it.
  if (identity.hostname == "(none)" || identity.hostname == "") identity.hostname.reset();
  identity.boot_id = read_boot_id(kernel);
  diagnostics.found({.what = "host name", .value = identity.hostname.value_or("not known")});
  diagnostics.found({.what = "boot id", .value = identity.boot_id.value_or("not known")});
  return identity;
}

}  // namespace photon_dmesg
