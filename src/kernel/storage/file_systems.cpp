#include "kernel/storage/file_systems.h"

#include <fmt/format.h>

#include "kernel/memory/fields.h"
#include "kernel/storage/ext4.h"
#include "kernel/storage/super_blocks.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t read_only = 1;                // SB_RDONLY, of s_flags
constexpr std::uint64_t freeze_levels = 3;            // SB_FREEZE_LEVELS
constexpr std::uint64_t xfs_shut_down = 1U << 2;      // XFS_OPSTATE_SHUTDOWN, of m_opstate
constexpr std::uint64_t xfs_old_shut_down = 1U << 4;  // XFS_MOUNT_FS_SHUTDOWN, of m_flags

class Reader {
 public:
  Reader(const GuestKernel& kernel, const KernelTypes& types)
      : kernel_(kernel), memory_(kernel.memory()), types_(types) {}

  [[nodiscard]] FileSystem read(GuestVirtual address) const {
    FileSystem found;
    found.address = address;
    found.device = read_device(memory_, types_, address);
    found.type = read_type(memory_, types_, address);
    found.block_device = read_pointer(memory_, address, types_.find("super_block.s_bdev"));
    if (const auto flags = read_number(memory_, address, types_.find("super_block.s_flags"))) {
      found.is_read_only = (*flags & read_only) != 0;
    }
    read_freezing(found);
    const auto info = read_pointer(memory_, address, types_.find("super_block.s_fs_info"));
    if (info && (found.type == "ext4" || found.type == "ext3")) {
      read_ext4(kernel_, types_, *info, found);
    } else if (info && found.type == "xfs") {
      read_xfs(*info, found);
    }
    return found;
  }

 private:
  void read_freezing(FileSystem& found) const {
    const auto frozen =
        read_number(memory_, found.address, types_.find("super_block.s_writers.frozen"));
    if (frozen) found.frozen = static_cast<std::uint32_t>(*frozen);
    const auto locks = types_.find("super_block.s_writers.rw_sem");
    if (!locks) return;
    found.freeze_lock_size = locks->size / freeze_levels;
    for (std::uint64_t level = 0; level < freeze_levels; ++level) {
      found.freeze_locks.push_back(found.address + locks->offset + level * found.freeze_lock_size);
    }
  }

  void read_xfs(GuestVirtual mount, FileSystem& found) const {
    const auto state = read_number(memory_, mount, types_.find("xfs_mount.m_opstate"));
    if (state) {  // since 5.15
      found.is_shut_down = (*state & xfs_shut_down) != 0;
      return;
    }
    const auto flags = read_number(memory_, mount, types_.find("xfs_mount.m_flags"));
    if (flags) found.is_shut_down = (*flags & xfs_old_shut_down) != 0;
  }

  const GuestKernel& kernel_;
  const KernelMemory& memory_;
  const KernelTypes& types_;
};

}  // namespace

std::string name_of(const FileSystem& file_system) {
  return name_of_file_system(file_system.device, file_system.type);
}

bool is_stopped_by_error(const FileSystem& file_system) {
  if (file_system.is_shut_down.value_or(false)) return true;
  if (file_system.journal && file_system.journal->is_aborted.value_or(false)) return true;
  return file_system.is_read_only.value_or(false) && file_system.has_errors.value_or(false);
}

std::vector<FileSystem> read_file_systems(const GuestKernel& kernel, const KernelTypes& types,
                                          Diagnostics& diagnostics) {
  const SuperBlocks super_blocks = find_super_blocks(kernel, types);
  if (super_blocks.broken) {
    diagnostics.warn_of_lack(fmt::format(
        "the list of file systems is damaged: {}: some may be missing", *super_blocks.broken));
  }
  const Reader reader(kernel, types);
  std::vector<FileSystem> found;
  found.reserve(super_blocks.all.size());
  for (const GuestVirtual address : super_blocks.all) found.push_back(reader.read(address));
  return found;
}

}  // namespace photon_dmesg
