#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/task_guest.h"

namespace photon_dmesg::test {

// Where the types of a StorageGuest have their members; a test that wants others adds its own.
namespace super_block_at {
inline constexpr std::uint64_t list = 0, flags = 16, type = 24, device = 32, writers = 48,
                               info = 400, id = 408, inodes = 440, umount = 456, size = 512;
inline constexpr std::uint64_t frozen = writers, locks = writers + 16, lock_size = 96;
}  // namespace super_block_at

namespace inode_at {
inline constexpr std::uint64_t super_block = 8, number = 16, rwsem = 32, state = 72, list = 80,
                               data = 96, size = 160;
}  // namespace inode_at

namespace disk_at {
inline constexpr std::uint64_t name = 8, part = 40, queue = 48, own = 56, mutex = 64, size = 128;
}  // namespace disk_at

namespace queue_at {
inline constexpr std::uint64_t own = 0, contexts = 8, tag_set = 16, quiesced = 24, frozen = 28,
                               shared_tags = 32, timeouts = 40, size = 64;
}  // namespace queue_at

namespace request_at {
inline constexpr std::uint64_t queue = 0, flags = 8, bytes = 12, sector = 16, made = 24,
                               issued = 32, state = 40, references = 44, bio = 48, size = 64;
}  // namespace request_at

// A guest with file systems and disks. The types are those of 6.x with the queue's contexts in an
// array, without an elevator.
struct StorageGuest : TaskGuest {
  GuestVirtual super_blocks = variable("super_blocks", 16);
  GuestVirtual devices;  // the file system "bdev"

  explicit StorageGuest(const std::string& release = "6.1.0") : TaskGuest(release) {
    add_file_system_types();
    add_disk_types();
    begin_list(super_blocks);
    devices = file_system("bdev", "bdev");
  }

  GuestVirtual text(std::string_view content) {
    const GuestVirtual at = allocate(64);
    write_text(at, content);
    return at;
  }

  GuestVirtual file_system(const std::string& device, const std::string& type) {
    const GuestVirtual made = allocate(super_block_at::size);
    append(super_blocks, made + super_block_at::list);
    const GuestVirtual kind = allocate(16);
    write(kind, text(type));
    write(made + super_block_at::type, kind);
    write_text(made + super_block_at::id, device);
    begin_list(made + super_block_at::inodes);
    return made;
  }

  GuestVirtual inode(GuestVirtual super_block, std::uint64_t number) {
    return make_inode(allocate(inode_at::size), super_block, number);
  }

  struct MadeDisk {
    GuestVirtual device;  // its block_device
    GuestVirtual inode;
    GuestVirtual disk;
    GuestVirtual queue;
  };

  MadeDisk disk(const std::string& name) {
    MadeDisk made;
    made.disk = allocate(disk_at::size);
    made.queue = allocate(queue_at::size);
    write_text(made.disk + disk_at::name, name);
    write(made.disk + disk_at::queue, made.queue);
    begin_list(made.queue + queue_at::timeouts);
    return part(made, 0);
  }

  // A part of a disk.
  MadeDisk part(const MadeDisk& whole, std::uint64_t number) {
    MadeDisk made = whole;
    made.device = allocate(bdev_size + inode_at::size);
    made.inode = make_inode(made.device + bdev_size, devices, 0);
    write(made.device, whole.disk);
    write(made.device + 8, number, 1);
    if (number == 0) write(made.disk + disk_at::part, made.device);
    append(devices + super_block_at::inodes, made.inode + inode_at::list);
    return made;
  }

  // A set of requests of `count`, all of them free, which disks can share: its one array.
  struct MadeTags {
    GuestVirtual tags;
    GuestVirtual requests;
  };
  MadeTags tags(std::uint64_t count) {
    MadeTags made{allocate(24), allocate(count * request_at::size)};
    const GuestVirtual array = allocate(count * 8);
    for (std::uint64_t i = 0; i < count; ++i) {
      write(array + i * 8, made.requests + i * request_at::size);
    }
    write(made.tags, count, 4);
    write(made.tags + 8, array);
    return made;
  }
  void use_tags(const MadeDisk& disk, const MadeTags& tags) {
    const GuestVirtual set = allocate(16);
    const GuestVirtual array = allocate(8);
    write(set, 1, 4);
    write(set + 8, array);
    write(array, tags.tags);
    write(disk.queue + queue_at::tag_set, set);
  }

  static GuestVirtual request(const MadeTags& tags, std::uint64_t number) {
    return tags.requests + number * request_at::size;
  }
  // Has `disk` be asked for something, as the driver has it.
  void ask(const MadeDisk& disk, GuestVirtual request, std::uint64_t flags, std::uint64_t sector,
           std::uint64_t issued_nsec) {
    write(request + request_at::queue, disk.queue);
    write(request + request_at::flags, flags, 4);
    write(request + request_at::bytes, 4096, 4);
    write(request + request_at::sector, sector);
    write(request + request_at::issued, issued_nsec);
    write(request + request_at::state, 1, 4);
    write(request + request_at::references, 1, 4);
    write(request + request_at::bio, 0xffff888000001000);
  }

 private:
  static constexpr std::uint64_t bdev_size = 32;

  GuestVirtual make_inode(GuestVirtual made, GuestVirtual super_block, std::uint64_t number) {
    write(made + inode_at::super_block, super_block);
    write(made + inode_at::number, number);
    write(made + inode_at::data, made);  // its mapping leads back
    return made;
  }

  void add_file_system_types() {
    type("super_block", super_block_at::size,
         {{"s_list", super_block_at::list, 16},
          {"s_flags", super_block_at::flags},
          {"s_type", super_block_at::type},
          {"s_bdev", super_block_at::device},
          {"s_writers", super_block_at::writers, 16 + 3 * super_block_at::lock_size, "sb_writers"},
          {"s_fs_info", super_block_at::info},
          {"s_id", super_block_at::id, 32},
          {"s_inodes", super_block_at::inodes, 16},
          {"s_umount", super_block_at::umount, 40}});
    type("sb_writers", 16 + 3 * super_block_at::lock_size,
         {{"frozen", 0, 4}, {"rw_sem", 16, 3 * super_block_at::lock_size}});
    type("file_system_type", 16, {{"name", 0}});
    type("inode", inode_at::size,
         {{"i_sb", inode_at::super_block},
          {"i_ino", inode_at::number},
          {"i_rwsem", inode_at::rwsem, 40},
          {"i_state", inode_at::state},
          {"i_sb_list", inode_at::list, 16},
          {"i_data", inode_at::data, 64, "address_space"}});
    type("address_space", 64, {{"host", 0}});
  }

  void add_disk_types() {
    type("bdev_inode", bdev_size + inode_at::size,
         {{"bdev", 0, bdev_size, "block_device"},
          {"vfs_inode", bdev_size, inode_at::size, "inode"}});
    type("block_device", bdev_size, {{"bd_disk", 0}, {"bd_partno", 8, 1}, {"bd_stats", 16}});
    type("gendisk", disk_at::size,
         {{"disk_name", disk_at::name, 32},
          {"part0", disk_at::part},
          {"queue", disk_at::queue},
          {"private_data", disk_at::own},
          {"open_mutex", disk_at::mutex, 32}});
    type("request_queue", queue_at::size,
         {{"queuedata", queue_at::own},
          {"queue_hw_ctx", queue_at::contexts},
          {"tag_set", queue_at::tag_set},
          {"quiesce_depth", queue_at::quiesced, 4},
          {"mq_freeze_depth", queue_at::frozen, 4},
          {"sched_shared_tags", queue_at::shared_tags}});
    type("blk_mq_tag_set", 16, {{"nr_hw_queues", 0, 4}, {"tags", 8}});
    type("blk_mq_tags", 24, {{"nr_tags", 0, 4}, {"static_rqs", 8}, {"rqs", 16}});
    type("blk_mq_hw_ctx", 16, {{"sched_tags", 0}, {"fq", 8}});
    type("blk_flush_queue", 16, {{"flush_rq", 8}});
    type("request", request_at::size,
         {{"q", request_at::queue},
          {"cmd_flags", request_at::flags, 4},
          {"__data_len", request_at::bytes, 4},
          {"__sector", request_at::sector},
          {"start_time_ns", request_at::made},
          {"io_start_time_ns", request_at::issued},
          {"state", request_at::state, 4},
          {"ref", request_at::references, 4},
          {"bio", request_at::bio}});
    type("disk_stats", 32, {{"in_flight", 16, 16}});
  }
};

}  // namespace photon_dmesg::test
