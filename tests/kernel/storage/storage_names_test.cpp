#include "kernel/storage/storage_names.h"

#include <catch2/catch.hpp>

#include "support/storage_guest.h"

namespace photon_dmesg::test {
namespace {

struct Names : StorageGuest {
  MadeDisk whole = disk("nvme0n1");
  MadeDisk third = part(whole, 3);
  MadeDisk sdb = part(disk("sdb"), 2);
  GuestVirtual root = file_system("nvme0n1p3", "ext4");
  GuestVirtual file = inode(root, 13);

  Names() {
    type("folio", 64, {{"mapping", 24}});
    type("buffer_head", 64, {{"b_state", 0}, {"b_blocknr", 24}, {"b_bdev", 48}});
  }

  GuestVirtual page_of(GuestVirtual inode) {
    const GuestVirtual page = allocate(64);
    write(page + 24, inode + inode_at::data);
    return page;
  }

  std::unique_ptr<StorageNames> names() {
    return std::make_unique<StorageNames>(kernel(), types());
  }
};

}  // namespace

TEST_CASE("storage names: a page of a file and of a disk, or of a part of one") {
  Names guest;
  const auto names = guest.names();
  CHECK(names->page(guest.page_of(guest.file)) == "page of inode 13 on nvme0n1p3 (ext4)");
  CHECK(names->page(guest.page_of(guest.whole.inode)) == "page of nvme0n1");
  CHECK(names->page(guest.page_of(guest.third.inode)) == "page of nvme0n1p3");
  CHECK(names->page(guest.page_of(guest.sdb.inode)) == "page of sdb2");
}

TEST_CASE("storage names: a page of a process, or of nothing that is known, has none") {
  Names guest;
  const auto names = guest.names();
  const GuestVirtual page = guest.page_of(guest.file);
  guest.write(page + 24, guest.file + inode_at::data + 1);
  CHECK_FALSE(names->page(page));
  guest.write(page + 24, 0);
  CHECK_FALSE(names->page(page));
  CHECK_FALSE(names->page(TaskGuest::nowhere));
  CHECK_FALSE(names->page(guest.page_of(guest.inode(guest.allocate(512), 1))));
}

TEST_CASE("storage names: a buffer by the disk that it is of") {
  Names guest;
  const auto names = guest.names();
  const GuestVirtual buffer = guest.allocate(64);
  guest.write(buffer + 24, 2314);
  CHECK_FALSE(names->buffer(buffer));
  guest.write(buffer + 48, guest.file);
  CHECK_FALSE(names->buffer(buffer));
  guest.write(buffer + 48, guest.third.device);
  CHECK(names->buffer(buffer) == "block 2314 on nvme0n1p3");
}

TEST_CASE("storage names: I/O by the completion that it ends with, and the disk that it is for") {
  Names guest;
  const GuestVirtual bio = guest.allocate(64);
  const GuestVirtual completion = guest.allocate(32);
  SECTION("which it has until 4.13 and since 5.12") {
    guest.type("bio", 64, {{"bi_bdev", 8}, {"bi_private", 24}});
    const auto names = guest.names();
    CHECK(names->completion_in_bio() == 24U);
    guest.write(bio + 8, guest.third.device);
    CHECK_FALSE(names->io(bio, completion));
    guest.write(bio + 24, completion);
    CHECK(names->io(bio, completion) == "I/O on nvme0n1p3");
    guest.write(bio + 8, guest.file);
    CHECK_FALSE(names->io(bio, completion));
  }
  SECTION("or of which it has all, in between") {
    guest.type("bio", 64, {{"bi_disk", 8}, {"bi_private", 24}});
    const auto names = guest.names();
    guest.write(bio + 24, completion);
    CHECK_FALSE(names->io(bio, completion));
    guest.write(bio + 8, guest.third.disk);
    CHECK(names->io(bio, completion) == "I/O on nvme0n1");
    guest.write(bio + 8, guest.third.device);
    CHECK_FALSE(names->io(bio, completion));
  }
}

TEST_CASE("storage names: writers of a frozen file system wait in one of its three locks") {
  Names guest;
  const auto names = guest.names();
  const GuestVirtual locks = guest.root + super_block_at::locks;
  CHECK_FALSE(names->frozen_file_system(locks));
  CHECK(names->member(locks) == "s_writers of nvme0n1p3 (ext4)");
  guest.write(guest.root + super_block_at::frozen, 4, 4);
  for (std::uint64_t level = 0; level < 3; ++level) {
    CHECK(names->frozen_file_system(locks + level * super_block_at::lock_size) ==
          "frozen file system nvme0n1p3 (ext4)");
  }
  CHECK_FALSE(names->frozen_file_system(locks + 3 * super_block_at::lock_size));
  CHECK_FALSE(names->frozen_file_system(guest.root + super_block_at::umount));
}

TEST_CASE("storage names: members of what is known") {
  Names guest;
  guest.type("ext4_sb_info", 64, {{"s_journal", 16}, {"s_orphan_lock", 24, 32}});
  guest.type("journal_s", 64, {{"j_wait_done_commit", 32, 24}});
  const GuestVirtual info = guest.allocate(64);
  const GuestVirtual journal = guest.allocate(64);
  guest.write(guest.root + super_block_at::info, info);
  guest.write(info + 16, journal);
  const auto names = guest.names();
  CHECK(names->member(guest.root + super_block_at::umount) == "s_umount of nvme0n1p3 (ext4)");
  CHECK(names->member(guest.whole.disk + disk_at::mutex) == "open_mutex of nvme0n1");
  CHECK(names->member(guest.whole.queue + queue_at::timeouts) == std::nullopt);  // not in its types
  CHECK(names->member(info + 24) == "s_orphan_lock of nvme0n1p3 (ext4)");
  CHECK(names->member(journal + 40) == "j_wait_done_commit of nvme0n1p3 (ext4)");
  CHECK(names->member(guest.file + inode_at::rwsem) == "i_rwsem of inode 13 on nvme0n1p3 (ext4)");
  CHECK(names->member(guest.file + inode_at::state) == "i_state of inode 13 on nvme0n1p3 (ext4)");
  CHECK_FALSE(names->member(guest.file + inode_at::rwsem + 8));
  CHECK_FALSE(names->member(guest.allocate(64)));
  CHECK_FALSE(names->member(TaskGuest::nowhere));
}

TEST_CASE("storage names: a guest of which nothing is known has no names") {
  TaskGuest guest;
  const StorageNames names(guest.kernel(), guest.types());
  const GuestVirtual somewhere = guest.allocate(64);
  CHECK_FALSE(names.page(somewhere));
  CHECK_FALSE(names.buffer(somewhere));
  CHECK_FALSE(names.io(somewhere, somewhere));
  CHECK_FALSE(names.completion_in_bio());
  CHECK_FALSE(names.frozen_file_system(somewhere));
  CHECK_FALSE(names.member(somewhere));
}

}  // namespace photon_dmesg::test
