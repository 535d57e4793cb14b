#include "kernel/storage/scsi.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_driver = 24;

// enum scsi_host_state.
constexpr std::array<std::string_view, 8> states = {
    "",        "created",  "running",         "cancel",
    "deleted", "recovery", "cancel recovery", "deleted recovery"};

std::optional<std::uint32_t> as_32(std::optional<std::uint64_t> number) {
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

// Indices of a ring that the device defines, so that they never move.
std::optional<PvscsiRings> read_rings(const KernelMemory& memory, GuestVirtual at) {
  constexpr std::uint64_t request_taken = 4;
  constexpr std::uint64_t answer_made = 12;
  constexpr std::uint64_t answer_taken = 16;
  constexpr std::size_t width = sizeof(std::uint32_t);
  const auto index = [&](std::uint64_t offset) {
    return as_32(memory.read_unsigned(at + offset, width));
  };
  const auto made = index(0);
  const auto taken = index(request_taken);
  const auto answers_made = index(answer_made);
  const auto answers_taken = index(answer_taken);
  if (!made || !taken || !answers_made || !answers_taken) return std::nullopt;
  return PvscsiRings{at, *made, *taken, *answers_made, *answers_taken};
}

std::string read_driver(const KernelMemory& memory, const KernelTypes& types, GuestVirtual host) {
  const auto driver = read_pointer(memory, host, types.find("Scsi_Host.hostt"));
  const auto name =
      driver ? read_pointer(
                   memory, *driver,
                   types.find_any({"scsi_host_template.proc_name", "scsi_host_template.name"}))
             : std::nullopt;
  return name ? memory.read_text(*name, longest_driver).value_or("") : "";
}

}  // namespace

std::string name_of_scsi_state(std::uint32_t state) {
  if (state > 0 && state < states.size()) return std::string(states[state]);
  return fmt::format("state {}", state);
}

std::optional<ScsiHost> read_scsi_host(const GuestKernel& kernel, const KernelTypes& types,
                                       GuestVirtual queue) {
  const KernelMemory& memory = kernel.memory();
  // That what belongs to a queue is a SCSI device, only the way back tells.
  const auto device = read_pointer(memory, queue, types.find("request_queue.queuedata"));
  if (!device) return std::nullopt;
  const auto back = read_pointer(memory, *device, types.find("scsi_device.request_queue"));
  const auto address = read_pointer(memory, *device, types.find("scsi_device.host"));
  if (back != queue || !address) return std::nullopt;
  const auto number = [&](std::string_view member) {
    return as_32(read_number(memory, *address, types.find(member)));
  };
  ScsiHost host;
  host.address = *address;
  host.number = number("Scsi_Host.host_no");
  host.driver = read_driver(memory, types, *address);
  host.state = number("Scsi_Host.shost_state");
  host.busy = number("Scsi_Host.host_busy");
  host.failed = number("Scsi_Host.host_failed");
  host.error_handler = read_pointer(memory, *address, types.find("Scsi_Host.ehandler"));
  const auto own = types.find("Scsi_Host.hostdata");
  const auto rings = types.find("pvscsi_adapter.rings_state");
  if (host.driver == "vmw_pvscsi" && own && rings) {
    const auto at = read_pointer(memory, *address + own->offset, rings);
    if (at) host.rings = read_rings(memory, *at);
  }
  return host;
}

std::optional<ScsiTries> read_scsi_tries(const KernelMemory& memory, const KernelTypes& types,
                                         GuestVirtual request) {
  const auto size = types.size_of("request");  // blk_mq_rq_to_pdu()
  if (!size) return std::nullopt;
  const GuestVirtual command = request + *size;
  // Until 5.14 a command refers to its request: other drivers have other things there.
  const auto back = types.find("scsi_cmnd.request");
  if (back && read_pointer(memory, command, back) != request) return std::nullopt;
  const auto again = as_32(read_number(memory, command, types.find("scsi_cmnd.retries")));
  const auto most = as_32(read_number(memory, command, types.find("scsi_cmnd.allowed")));
  if (!again || !most) return std::nullopt;
  return ScsiTries{*again, *most};
}

}  // namespace photon_dmesg
