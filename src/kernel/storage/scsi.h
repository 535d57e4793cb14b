#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// The rings of a paravirtual SCSI adapter of VMware's (vmw_pvscsi.h; the host has the other end).
// Requests that are not taken the host has not even seen. Where all are taken and none is answered
// it has them. Answers that are not taken the guest has not seen: it may be too busy, or else a
// host that stops a machine has first done what it had been asked for.
struct PvscsiRings {
  GuestVirtual address;
  std::uint32_t requests_made = 0;   // reqProdIdx, by the guest
  std::uint32_t requests_taken = 0;  // reqConsIdx, by the host
  std::uint32_t answers_made = 0;    // cmpProdIdx, by the host
  std::uint32_t answers_taken = 0;   // cmpConsIdx, by the guest
};

// The SCSI adapter that a disk is behind. What is not known is absent.
struct ScsiHost {
  GuestVirtual address;  // of its Scsi_Host
  std::optional<std::uint32_t> number;
  std::string driver;                         // "vmw_pvscsi"; empty if not known
  std::optional<std::uint32_t> state;         // SHOST_*: 1 created, 2 running, 5 recovery...
  std::optional<std::uint32_t> busy;          // commands that it has, until 5.4
  std::optional<std::uint32_t> failed;        // those that its error handler waits for, or works on
  std::optional<GuestVirtual> error_handler;  // the task
  std::optional<PvscsiRings> rings;
};

// How often a command has failed or timed out and was given to the device anew, and how often it
// may.
struct ScsiTries {
  std::uint32_t again = 0;
  std::uint32_t most = 0;
};

// "running", "recovery".
[[nodiscard]] std::string name_of_scsi_state(std::uint32_t state);

// That of the disk whose queue is at `queue`. Nothing if it is no SCSI disk, or the types of SCSI,
// which mostly is in modules, are not known.
[[nodiscard]] std::optional<ScsiHost> read_scsi_host(const GuestKernel& kernel,
                                                     const KernelTypes& types, GuestVirtual queue);

// Those of the command of `request`, a struct request of a SCSI disk under blk-mq: the command lies
// behind it. Nothing if the types of SCSI are not known, or the command is another request's.
[[nodiscard]] std::optional<ScsiTries> read_scsi_tries(const KernelMemory& memory,
                                                       const KernelTypes& types,
                                                       GuestVirtual request);

}  // namespace photon_dmesg
