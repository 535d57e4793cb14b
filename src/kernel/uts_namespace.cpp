#include "kernel/uts_namespace.h"

namespace photon_dmesg {

bool has_release(const KernelMemory& memory, GuestVirtual init_uts_ns, const std::string& release) {
  // struct new_utsname: six strings of 65 bytes, behind at most a few words.
  constexpr std::size_t bytes = 512;
  std::string names(bytes, '\0');
  return memory.read(init_uts_ns, std::as_writable_bytes(std::span(names))) &&
         names.find(release + '\0') != std::string::npos;
}

}  // namespace photon_dmesg
