#include "cli/guest_facts.h"

#include "base/optional_fact.h"
#include "kernel/arch/architecture.h"
#include "kernel/facts/guest_identity.h"

namespace photon_dmesg {

GuestInfo describe_guest(const Guest& guest, Diagnostics& diagnostics) {
  const GuestKernel& kernel = guest.kernel();
  GuestInfo info;
  info.release = kernel.banner().release;
  info.banner = kernel.banner().text;
  info.build_id = kernel.build_id();
  info.kaslr_offset = kernel.kaslr_offset();
  info.architecture = kernel.memory().tables().architecture().name();
  info.place_variable = kernel.place_variable();
  info.image_place = kernel.image_place();
  info.vcpus = guest.state().vcpus.size();
  info.memory_bytes = guest.state().memory->size();
  info.identity = optional_fact("who the guest is", diagnostics,
                                [&] { return read_guest_identity(kernel, diagnostics); });
  info.vm_name = guest.vm_name();
  return info;
}

std::optional<ClockHistory> read_clock_history(const GuestKernel& kernel, const ClockSigns& signs,
                                               Diagnostics& diagnostics) {
  const std::optional<GuestClock> clock = optional_fact(
      "when the guest stopped", diagnostics, [&] { return read_guest_clock(kernel, diagnostics); });
  return clock ? std::optional(ClockHistory(*clock, signs)) : std::nullopt;
}

std::optional<ClockHistory> read_clock_history(const GuestKernel& kernel,
                                               const KernelLogReader* log,
                                               Diagnostics& diagnostics) {
  ClockSigns signs;
  if (log != nullptr) {
    log->read_records([&](const LogRecord& record) {
      signs.add(record);
      return true;
    });
  }
  return read_clock_history(kernel, signs, diagnostics);
}

SourceInfo describe_source(const Guest& guest) {
  return {guest.state().path, guest.state().memory_path, guest.symbols().provenance};
}

}  // namespace photon_dmesg
