#include "kernel/storage/storage_names.h"

#include <fmt/format.h>

#include <iterator>

#include "kernel/memory/fields.h"
#include "kernel/storage/block_devices.h"
#include "kernel/storage/super_blocks.h"

namespace photon_dmesg {

// All that has a name, by its address.
struct StorageNames::Tables {
  Tables(const GuestKernel& kernel, const KernelTypes& types) : kernel_(kernel), types_(types) {
    for (const GuestVirtual super_block : find_super_blocks(kernel, types).all) {
      add_file_system(super_block);
    }
    const BlockDevices devices = find_block_devices(kernel, types).value_or(BlockDevices());
    for (const BlockDevice& device : devices.all) add_device(device);
  }

  std::unordered_map<std::uint64_t, std::string> file_systems;  // by super_block
  std::unordered_map<std::uint64_t, std::string> devices;       // by block_device
  std::unordered_map<std::uint64_t, std::string> by_inode;      // the same
  std::map<std::uint64_t, Object> objects;

 private:
  void add_file_system(GuestVirtual super_block) {
    const KernelMemory& memory = kernel_.memory();
    const std::string type = read_type(memory, types_, super_block);
    const std::string name = name_of_file_system(read_device(memory, types_, super_block), type);
    file_systems.emplace(super_block.value, name);
    add("super_block", super_block, name);
    const auto info = read_pointer(memory, super_block, types_.find("super_block.s_fs_info"));
    if (!info || type != "ext4") return;
    add("ext4_sb_info", *info, name);
    const auto journal = read_pointer(memory, *info, types_.find("ext4_sb_info.s_journal"));
    if (journal) add("journal_s", *journal, name);
  }

  void add_device(const BlockDevice& device) {
    devices.emplace(device.address.value, device.name);
    by_inode.emplace(device.inode.value, device.name);
    add("block_device", device.address, device.name);
    if (!device.disk) return;
    const KernelMemory& memory = kernel_.memory();
    const auto disk = read_text(memory, *device.disk, types_.find("gendisk.disk_name"));
    const auto queue = read_pointer(memory, *device.disk, types_.find("gendisk.queue"));
    if (!disk) return;
    add("gendisk", *device.disk, *disk);
    if (queue) add("request_queue", *queue, *disk);
  }

  void add(std::string_view type, GuestVirtual address, const std::string& name) {
    const auto size = types_.size_of(type);
    if (size && !name.empty()) objects.emplace(address.value, Object{type, *size, name});
  }

  const GuestKernel& kernel_;
  const KernelTypes& types_;
};

StorageNames::StorageNames(const GuestKernel& kernel, const KernelTypes& types)
    : memory_(kernel.memory()), kernel_(kernel), types_(types) {}

StorageNames::~StorageNames() = default;

const StorageNames::Tables& StorageNames::tables() const {
  if (!tables_) tables_ = std::make_unique<const Tables>(kernel_, types_);
  return *tables_;
}

// Nothing but for one of a file system that is known.
std::optional<std::string> StorageNames::inode_name(GuestVirtual inode) const {
  const auto device = tables().by_inode.find(inode.value);
  if (device != tables().by_inode.end() && !device->second.empty()) return device->second;
  const auto super_block = read_pointer(memory_, inode, types_.find("inode.i_sb"));
  const auto number = read_number(memory_, inode, types_.find("inode.i_ino"));
  if (!super_block || !number) return std::nullopt;
  const auto file_system = tables().file_systems.find(super_block->value);
  if (file_system == tables().file_systems.end()) return std::nullopt;
  return fmt::format("inode {} on {}", *number, file_system->second);
}

std::optional<std::string> StorageNames::page(GuestVirtual page) const {
  const auto mapping =
      read_pointer(memory_, page, types_.find_any({"folio.mapping", "page.mapping"}));
  constexpr std::uint64_t no_file = 3;  // PAGE_MAPPING_FLAGS: of a process's own memory
  if (!mapping || (mapping->value & no_file) != 0) return std::nullopt;
  const auto inode = read_pointer(memory_, *mapping, types_.find("address_space.host"));
  const auto name = inode ? inode_name(*inode) : std::nullopt;
  return name ? std::optional("page of " + *name) : std::nullopt;
}

std::optional<std::string> StorageNames::buffer(GuestVirtual state) const {
  const auto place = types_.find("buffer_head.b_state");
  if (!place) return std::nullopt;
  const GuestVirtual buffer{state.value - place->offset};
  const auto device = read_pointer(memory_, buffer, types_.find("buffer_head.b_bdev"));
  const auto block = read_number(memory_, buffer, types_.find("buffer_head.b_blocknr"));
  if (!device || !block) return std::nullopt;
  // Any word may be waited for: that a device which is known belongs to it proves what it is.
  const auto known = tables().devices.find(device->value);
  if (known == tables().devices.end() || known->second.empty()) return std::nullopt;
  return fmt::format("block {} on {}", *block, known->second);
}

std::optional<std::uint64_t> StorageNames::completion_in_bio() const {
  const auto field = types_.find("bio.bi_private");
  return field ? std::optional(field->offset) : std::nullopt;
}

std::optional<std::string> StorageNames::io(GuestVirtual bio, GuestVirtual completion) const {
  const auto own = read_pointer(memory_, bio, types_.find("bio.bi_private"));
  if (own != completion) return std::nullopt;
  // From 4.14 to 5.11 a bio has the disk, before and since the device.
  if (const auto device = read_pointer(memory_, bio, types_.find("bio.bi_bdev"))) {
    const auto known = tables().devices.find(device->value);
    if (known == tables().devices.end() || known->second.empty()) return std::nullopt;
    return "I/O on " + known->second;
  }
  const auto disk = read_pointer(memory_, bio, types_.find("bio.bi_disk"));
  const auto known = disk ? tables().objects.find(disk->value) : tables().objects.end();
  if (known == tables().objects.end() || known->second.type != "gendisk") return std::nullopt;
  return "I/O on " + known->second.name;
}

std::optional<std::string> StorageNames::frozen_file_system(GuestVirtual lock) const {
  const auto locks = types_.find("super_block.s_writers.rw_sem");
  const auto frozen = types_.find("super_block.s_writers.frozen");
  const auto above = tables().objects.upper_bound(lock.value);
  if (!locks || above == tables().objects.begin()) return std::nullopt;
  const auto& [address, object] = *std::prev(above);
  const std::uint64_t offset = lock.value - address;
  const bool is_inside = offset >= locks->offset && offset - locks->offset < locks->size;
  if (object.type != "super_block" || !is_inside) return std::nullopt;
  if (read_number(memory_, {address}, frozen).value_or(0) == 0) return std::nullopt;
  return "frozen file system " + object.name;
}

std::optional<std::string> StorageNames::member(GuestVirtual address) const {
  const auto above = tables().objects.upper_bound(address.value);
  if (above != tables().objects.begin()) {
    const auto& [begin, object] = *std::prev(above);
    const std::uint64_t offset = address.value - begin;
    const auto name = offset < object.size ? member_at(object.type, offset) : std::nullopt;
    if (name) return fmt::format("{} of {}", *name, object.name);
  }
  return member_of_inode(address);
}

// Inodes are too many to be listed: one that is there has the way back in its own pages' mapping.
std::optional<std::string> StorageNames::member_of_inode(GuestVirtual address) const {
  const auto host = types_.find("inode.i_data.host");
  if (!host) return std::nullopt;
  for (const std::string_view member : {"i_rwsem", "i_mutex", "i_state", "i_data"}) {
    const auto place = types_.find(fmt::format("inode.{}", member));
    if (!place) continue;
    const GuestVirtual inode{address.value - place->offset};
    if (read_pointer(memory_, inode, host) != inode) continue;
    if (const auto name = inode_name(inode)) return fmt::format("{} of {}", member, *name);
  }
  return std::nullopt;
}

std::optional<std::string> StorageNames::member_at(std::string_view type,
                                                   std::uint64_t offset) const {
  for (const auto& source : types_.sources()) {
    const StructLayout* layout = source->find_struct(type);
    if (layout == nullptr) continue;
    for (const MemberLayout& member : layout->members()) {
      const bool is_inside = offset >= member.offset && offset - member.offset < member.size;
      if (is_inside && !member.name.empty()) return member.name;
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
