#include "kernel/storage/block_devices.h"

#include <fmt/format.h>

#include <cctype>
#include <utility>

#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"
#include "kernel/storage/super_blocks.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t most_devices = std::size_t{1} << 16;

class Reader {
 public:
  Reader(const KernelMemory& memory, const KernelTypes& types)
      : memory_(memory),
        device_(types.find("bdev_inode.bdev")),
        inode_(types.find("bdev_inode.vfs_inode")),
        inodes_(types.find("super_block.s_inodes")),
        link_(types.find("inode.i_sb_list")),
        disk_(types.find("block_device.bd_disk")),
        part_(types.find("block_device.bd_partno")),
        flags_(types.find("block_device.__bd_flags")),
        name_(types.find("gendisk.disk_name")) {}

  [[nodiscard]] bool is_complete() const { return device_ && inode_ && inodes_ && link_; }

  [[nodiscard]] BlockDevices read(GuestVirtual super_block) const {
    BlockDevices found;
    ListNodes list = walk_list(memory_, super_block + inodes_->offset, most_devices);
    for (const GuestVirtual node : list.nodes) {
      const GuestVirtual inode{node.value - link_->offset};
      const GuestVirtual outer{inode.value - inode_->offset};
      found.all.push_back(read(outer + device_->offset, inode));
    }
    found.broken = std::move(list.broken);
    return found;
  }

 private:
  [[nodiscard]] BlockDevice read(GuestVirtual address, GuestVirtual inode) const {
    BlockDevice device;
    device.address = address;
    device.inode = inode;
    device.disk = read_pointer(memory_, address, disk_);
    if (device.disk) device.name = read_text(memory_, *device.disk, name_).value_or("");
    // As the kernel calls parts (bdevname): behind a digit comes a p.
    const std::uint64_t part = part_of(address);
    if (part == 0 || device.name.empty()) return device;
    const bool ends_in_digit = std::isdigit(static_cast<unsigned char>(device.name.back())) != 0;
    device.name += fmt::format("{}{}", ends_in_digit ? "p" : "", part);
    return device;
  }

  // The part of the disk that it is; 0: all of it.
  [[nodiscard]] std::uint64_t part_of(GuestVirtual device) const {
    constexpr std::uint64_t part_bits = 0xff;  // BD_PARTNO, since 6.10
    if (part_) return read_number(memory_, device, part_).value_or(0);
    return read_number(memory_, device, flags_).value_or(0) & part_bits;
  }

  const KernelMemory& memory_;
  std::optional<Field> device_;
  std::optional<Field> inode_;
  std::optional<Field> inodes_;
  std::optional<Field> link_;
  std::optional<Field> disk_;
  std::optional<Field> part_;
  std::optional<Field> flags_;
  std::optional<Field> name_;
};

}  // namespace

std::optional<BlockDevices> find_block_devices(const GuestKernel& kernel,
                                               const KernelTypes& types) {
  const Reader reader(kernel.memory(), types);
  const SuperBlocks super_blocks = find_super_blocks(kernel, types);
  if (super_blocks.all.empty() && !super_blocks.broken) return std::nullopt;
  for (const GuestVirtual super_block : super_blocks.all) {
    if (read_type(kernel.memory(), types, super_block) != "bdev") continue;
    return reader.is_complete() ? std::optional(reader.read(super_block)) : std::nullopt;
  }
  // A kernel without CONFIG_BLOCK has neither the file system nor the types.
  if (!reader.is_complete() && !super_blocks.broken) return BlockDevices{};
  return BlockDevices{{}, "the list of file systems has none of the type bdev"};
}

}  // namespace photon_dmesg
