#include "kernel/find/uts_namespace.h"

namespace photon_dmesg {
namespace {

// struct new_utsname: sysname, nodename, release and three more strings of 65 bytes each; behind at
// most a few words.
constexpr std::size_t name_bytes = 65;
constexpr std::size_t bytes_of_use = 512;

struct Names {
  std::string bytes;
  std::size_t release = std::string::npos;  // where it begins
};

Names read_names(const KernelMemory& memory, GuestVirtual init_uts_ns, const std::string& release) {
  Names names{std::string(bytes_of_use, '\0')};
  if (memory.read(init_uts_ns, std::as_writable_bytes(std::span(names.bytes)))) {
    names.release = names.bytes.find(release + '\0');
  }
  return names;
}

}  // namespace

bool has_release(const KernelMemory& memory, GuestVirtual init_uts_ns, const std::string& release) {
  return read_names(memory, init_uts_ns, release).release != std::string::npos;
}

std::optional<std::string> read_node_name(const KernelMemory& memory, GuestVirtual init_uts_ns,
                                          const std::string& release) {
  const Names names = read_names(memory, init_uts_ns, release);
  if (names.release == std::string::npos || names.release < name_bytes) return std::nullopt;
  const std::string node = names.bytes.substr(names.release - name_bytes, name_bytes);
  return node.substr(0, node.find('\0'));
}

}  // namespace photon_dmesg
