#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "base/diagnostics.h"
#include "kernel/arch/release_number.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/memory/linked_list.h"
#include "kernel/storage/scsi.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// How far a request to a disk has come.
enum class RequestState {
  Waiting,    // in the kernel: for an elevator, the driver or a flush before it
  InFlight,   // the driver has it
  Completed,  // the disk has answered, and nobody has taken it yet
};

// "waiting", "in_flight", "completed".
[[nodiscard]] std::string_view name_of(RequestState state);

// Something that a disk was asked for and has not been seen to have done.
struct Request {
  GuestVirtual address;  // of its struct request
  RequestState state = RequestState::InFlight;
  std::string operation;                // "read", "write", "flush"; "operation 17" of rarer ones
  std::optional<std::uint64_t> sector;  // of 512 bytes, on the disk; nothing for a flush
  std::optional<std::uint64_t> bytes;   // that are left to do
  // When it was made, and when the driver got it, which may have been more than once: nanoseconds
  // since boot. Kernels note that only where they count a disk's I/O.
  std::optional<std::uint64_t> since_nsec;
  std::optional<std::uint64_t> given_nsec;
  // Whether that is by CLOCK_MONOTONIC (since 4.18), and not by the scheduler's clock, from which
  // it parts by seconds in days.
  bool by_monotonic = false;
  std::optional<ScsiTries> scsi_tries;
};

// The requests of the queues that are asked for.
class Requests {
 public:
  // Both must outlive this object.
  Requests(const GuestKernel& kernel, const KernelTypes& types);

  // Looks through the requests that the disk of `queue` has, and those that share its tags: add all
  // queues before the first is asked for.
  void add(GuestVirtual queue);

  // Those of one queue, the oldest first; those of which that is not known come last.
  [[nodiscard]] std::vector<Request> of(GuestVirtual queue) const;

  // Says that the guest has more places for requests than could be looked at, and which lists of
  // them are damaged.
  void warn(Diagnostics& diagnostics) const;

 private:
  void add_modern(GuestVirtual queue, GuestVirtual tag_set);
  void add_hardware_queue(GuestVirtual context);
  void add_tags(GuestVirtual tags);
  void add_legacy(GuestVirtual queue);
  [[nodiscard]] std::vector<GuestVirtual> hardware_queues(GuestVirtual queue, std::uint64_t count);
  void look_at(GuestVirtual request);
  [[nodiscard]] bool is_in_store(GuestVirtual request) const;
  void keep(GuestVirtual request, RequestState state);
  [[nodiscard]] std::optional<RequestState> state_of(GuestVirtual request) const;
  [[nodiscard]] std::uint64_t operation_of(std::uint64_t flags) const;
  [[nodiscard]] std::optional<std::uint64_t> time(GuestVirtual request,
                                                  std::string_view member) const;
  [[nodiscard]] std::optional<std::uint64_t> number(GuestVirtual object,
                                                    std::string_view member) const;
  [[nodiscard]] std::optional<GuestVirtual> pointer(GuestVirtual object,
                                                    std::string_view member) const;

  const KernelMemory& memory_;
  const KernelTypes& types_;
  ReleaseNumber release_;
  Budget budget_;
  DamagedLists damaged_{"requests to disks"};
  std::unordered_set<std::uint64_t> seen_;  // tags and requests
  std::map<std::uint64_t, std::vector<Request>> by_queue_;
};

}  // namespace photon_dmesg
