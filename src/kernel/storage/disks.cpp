#include "kernel/storage/disks.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/budget.h"
#include "kernel/memory/fields.h"
#include "kernel/storage/block_devices.h"

namespace photon_dmesg {
namespace {

std::optional<std::int32_t> as_signed(std::optional<std::uint64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
}

class Reader {
 public:
  Reader(const GuestKernel& kernel, const KernelTypes& types, const Cpus& cpus)
      : kernel_(kernel),
        memory_(kernel.memory()),
        types_(types),
        cpus_(cpus),
        counters_("CPUs' counters of disks", most_counters(kernel)) {}

  [[nodiscard]] Disk read(GuestVirtual address) const {
    Disk disk;
    disk.address = address;
    disk.name = read_text(memory_, address, types_.find("gendisk.disk_name")).value_or("");
    disk.queue = read_pointer(memory_, address, types_.find("gendisk.queue"));
    read_counters(disk);
    read_suspension(disk);
    if (!disk.queue) return disk;
    const auto number = [&](std::string_view member) {
      return as_signed(read_number(memory_, *disk.queue, types_.find(member)));
    };
    disk.quiesced = number("request_queue.quiesce_depth");
    disk.queue_frozen = number("request_queue.mq_freeze_depth");
    disk.scsi_host = read_scsi_host(kernel_, types_, *disk.queue);
    return disk;
  }

  // Whether the guest has more counters of disks than could be looked at.
  [[nodiscard]] const Budget& counters() const { return counters_; }

 private:
  // Each disk_stats of a CPU is at a place of its own, and has more than this many bytes.
  static std::uint64_t most_counters(const GuestKernel& kernel) {
    constexpr std::uint64_t least_bytes = 128;
    constexpr std::uint64_t most = std::uint64_t{1} << 22;  // 8192 disks and 512 CPUs
    return std::min(kernel.memory().ram_size() / least_bytes, most);
  }

  void read_counters(Disk& disk) const {
    const auto part = types_.find("gendisk.part0");
    if (!part) return;
    if (const auto stats = types_.find("block_device.bd_stats")) {  // since 5.11
      const auto device = read_pointer(memory_, disk.address, part);
      const auto at = device ? read_pointer(memory_, *device, stats) : std::nullopt;
      if (at) sum_per_cpu(disk, *at);
      return;
    }
    const GuestVirtual inner = disk.address + part->offset;
    if (const auto numbers = types_.find("hd_struct.in_flight")) {  // until 4.20: two of 32 bits
      constexpr std::size_t width = sizeof(std::uint32_t);
      disk.reads_begun = as_signed(memory_.read_unsigned(inner + numbers->offset, width));
      disk.writes_begun = as_signed(memory_.read_unsigned(inner + numbers->offset + width, width));
      return;
    }
    const auto at = read_pointer(memory_, inner, types_.find("hd_struct.dkstats"));
    if (at) sum_per_cpu(disk, *at);
  }

  // What began on one CPU may have ended on another: each alone may be negative.
  void sum_per_cpu(Disk& disk, GuestVirtual stats) const {
    const auto numbers = types_.find("disk_stats.in_flight");
    if (!numbers || cpus_.all().empty() || !counters_.take(cpus_.all().size())) return;
    constexpr std::size_t width = sizeof(std::uint64_t);
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    for (const Cpu& cpu : cpus_.all()) {
      if (!cpu.per_cpu_offset) return;
      const GuestVirtual at = stats + *cpu.per_cpu_offset + numbers->offset;
      const auto read = memory_.read_unsigned(at, width);
      const auto write = memory_.read_unsigned(at + width, width);
      if (!read || !write) return;
      reads += *read;
      writes += *write;
    }
    disk.reads_begun = static_cast<std::int64_t>(reads);
    disk.writes_begun = static_cast<std::int64_t>(writes);
  }

  void read_suspension(Disk& disk) const {
    constexpr std::uint64_t suspended = 3;  // DMF_BLOCK_IO_FOR_SUSPEND, DMF_SUSPENDED
    const auto mapped = read_pointer(memory_, disk.address, types_.find("gendisk.private_data"));
    // That it is dm's, the way back tells.
    if (!mapped || !disk.name.starts_with("dm-") ||
        read_pointer(memory_, *mapped, types_.find("mapped_device.disk")) != disk.address) {
      return;
    }
    if (const auto flags = read_number(memory_, *mapped, types_.find("mapped_device.flags"))) {
      disk.is_suspended = (*flags & suspended) != 0;
    }
  }

  const GuestKernel& kernel_;
  const KernelMemory& memory_;
  const KernelTypes& types_;
  const Cpus& cpus_;
  mutable Budget counters_;
};

// Some kernels since 5.0 count only for disks that have no requests.
void leave_out_unused_counters(Disk& disk) {
  if (disk.requests.empty() || disk.reads_begun != 0 || disk.writes_begun != 0) return;
  disk.reads_begun.reset();
  disk.writes_begun.reset();
}

}  // namespace

std::size_t count(const Disk& disk, RequestState state) {
  return static_cast<std::size_t>(
      std::count_if(disk.requests.begin(), disk.requests.end(),
                    [&](const Request& request) { return request.state == state; }));
}

std::optional<std::uint64_t> age_of(const Request& request, std::optional<std::uint64_t> now_nsec) {
  // Before it was given to the driver it waited for others; what has failed and is tried again, for
  // nothing else.
  const bool is_tried_again = request.scsi_tries && request.scsi_tries->again > 0;
  const auto begin =
      is_tried_again || !request.given_nsec ? request.since_nsec : request.given_nsec;
  if (!begin || !now_nsec) return std::nullopt;
  return *now_nsec - std::min(*now_nsec, *begin);
}

std::optional<std::vector<Disk>> read_disks(const GuestKernel& kernel, const KernelTypes& types,
                                            const Cpus& cpus, Diagnostics& diagnostics) {
  const auto devices = find_block_devices(kernel, types);
  if (!devices) return std::nullopt;
  if (devices->broken) {
    diagnostics.warn_of_lack(fmt::format(
        "the list of block devices is damaged: {}: some may be missing", *devices->broken));
    if (devices->all.empty()) return std::nullopt;
  }
  const Reader reader(kernel, types, cpus);
  Requests requests(kernel, types);
  std::vector<Disk> disks;
  std::unordered_set<std::uint64_t> seen;
  for (const BlockDevice& device : devices->all) {
    if (!device.disk || !seen.insert(device.disk->value).second) continue;
    disks.push_back(reader.read(*device.disk));
    if (disks.back().queue) requests.add(*disks.back().queue);
  }
  for (Disk& disk : disks) {
    if (disk.queue) disk.requests = requests.of(*disk.queue);
    for (Request& request : disk.requests) {
      // Of one that waits to be given to it, they are still another's.
      if (!disk.scsi_host || request.state != RequestState::InFlight) continue;
      request.scsi_tries = read_scsi_tries(kernel.memory(), types, request.address);
    }
    leave_out_unused_counters(disk);
  }
  reader.counters().warn_if_exceeded("the guest", diagnostics);
  std::stable_sort(disks.begin(), disks.end(),
                   [](const Disk& left, const Disk& right) { return left.name < right.name; });
  requests.warn(diagnostics);
  return disks;
}

}  // namespace photon_dmesg
