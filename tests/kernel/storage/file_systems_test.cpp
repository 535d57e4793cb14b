#include "kernel/storage/file_systems.h"

#include <catch2/catch.hpp>

#include "support/storage_guest.h"

namespace photon_dmesg::test {
namespace {

std::vector<FileSystem> file_systems_of(StorageGuest& guest) {
  return read_file_systems(guest.kernel(), guest.types(), guest.diagnostics());
}

// One ext4 file system.
struct Ext4 : StorageGuest {
  GuestVirtual super_block = file_system("sda3", "ext4");
  GuestVirtual info = allocate(256);
  GuestVirtual on_disk = allocate(1024);
  GuestVirtual journal = allocate(64);

  explicit Ext4(const std::string& release = "6.1.0") : StorageGuest(release) {
    type("ext4_sb_info", 256,
         {{"s_es", 0},
          {"s_mount_state", 8, 2},
          {"s_journal", 16},
          {"s_ext4_flags", 24},
          {"s_add_error_count", 32, 4},
          {"s_first_error_func", 40},
          {"s_first_error_line", 48, 4},
          {"s_first_error_time", 56},
          {"s_last_error_func", 64},
          {"s_last_error_line", 72, 4},
          {"s_last_error_time", 80}});
    type("journal_s", 64,
         {{"j_flags", 0},
          {"j_errno", 8, 4},
          {"j_running_transaction", 16},
          {"j_committing_transaction", 24}});
    type("transaction_s", 32,
         {{"t_tid", 0, 4}, {"t_state", 4, 4}, {"t_start", 8}, {"t_updates", 16, 4}});
    write(super_block + super_block_at::info, info);
    write(info, on_disk);
    write(info + 16, journal);
    write(variable("jiffies"), 5000);
  }

  FileSystem one() {
    const std::vector<FileSystem> all = file_systems_of(*this);
    REQUIRE(all.size() == 2);
    return all[1];
  }
};

}  // namespace

TEST_CASE("file systems: all that are mounted, what they are called and how far they are frozen") {
  StorageGuest guest;
  const GuestVirtual root = guest.file_system("dm-0", "xfs");
  guest.write(root + super_block_at::flags, 1 | 1U << 16);
  guest.write(root + super_block_at::frozen, 4, 4);
  guest.write(root + super_block_at::device, 0x1234);
  guest.file_system("proc", "proc");
  const std::vector<FileSystem> all = file_systems_of(guest);
  REQUIRE(all.size() == 3);
  CHECK(name_of(all[0]) == "bdev");
  CHECK(name_of(all[1]) == "dm-0 (xfs)");
  CHECK(all[1].address == root);
  CHECK(all[1].is_read_only == true);
  CHECK(all[1].frozen == 4U);
  CHECK(all[1].block_device == GuestVirtual{0x1234});
  REQUIRE(all[1].freeze_locks.size() == 3);
  CHECK(all[1].freeze_locks[0] == root + super_block_at::locks);
  CHECK(all[1].freeze_locks[2] == root + super_block_at::locks + 2 * super_block_at::lock_size);
  CHECK(all[1].freeze_lock_size == super_block_at::lock_size);
  CHECK(name_of(all[2]) == "proc");
  CHECK(all[2].is_read_only == false);
  CHECK(all[2].frozen == 0U);
  CHECK_FALSE(all[2].block_device);
  CHECK_FALSE(all[2].journal);
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("file systems: a list that is damaged is said, and what it still has is there") {
  StorageGuest guest;
  const GuestVirtual one = guest.file_system("sda1", "vfat");
  guest.file_system("sda2", "vfat");
  const GuestVirtual last = guest.file_system("sda3", "vfat");
  guest.write(one, TaskGuest::nowhere);
  const std::vector<FileSystem> all = file_systems_of(guest);
  CHECK(all.size() == 4);  // the rest from the other end
  CHECK(all.back().address == last);
  REQUIRE(guest.diagnostics().warnings().size() == 1);
  CHECK(guest.diagnostics().warnings()[0].starts_with("the list of file systems is damaged: "));
}

TEST_CASE("file systems: without the types there are none") {
  TaskGuest guest;
  guest.begin_list(guest.variable("super_blocks", 16));
  CHECK(read_file_systems(guest.kernel(), guest.types(), guest.diagnostics()).empty());
}

TEST_CASE("file systems: ext4 without errors") {
  Ext4 guest;
  const FileSystem found = guest.one();
  CHECK(found.has_errors == false);
  CHECK(found.error_count == 0U);
  CHECK_FALSE(found.first_error);
  CHECK_FALSE(found.last_error);
  CHECK(found.is_shut_down == false);
  REQUIRE(found.journal);
  CHECK(found.journal->error == 0);
  CHECK(found.journal->is_aborted == false);
  CHECK_FALSE(found.journal->running);
  CHECK_FALSE(found.journal->committing);
  CHECK_FALSE(is_stopped_by_error(found));
}

TEST_CASE("file systems: errors that ext4 has noted stand where the disk has them") {
  Ext4 guest;
  guest.write(guest.info + 8, 3, 2);  // EXT4_VALID_FS | EXT4_ERROR_FS
  guest.write(guest.on_disk + 404, 7, 4);
  guest.write(guest.on_disk + 408, 0x80000000, 4);
  guest.write(guest.on_disk + 632, 1, 1);
  guest.write_text(guest.on_disk + 424, "ext4_lookup");
  guest.write(guest.on_disk + 456, 1855, 4);
  guest.write(guest.on_disk + 460, 0x90000000, 4);
  guest.write_text(guest.on_disk + 480, "ext4_find_entry");
  guest.write(guest.on_disk + 468, 1600, 4);
  const FileSystem found = guest.one();
  CHECK(found.has_errors == true);
  CHECK(found.error_count == 7U);
  REQUIRE(found.first_error);
  CHECK(found.first_error->function == "ext4_lookup");
  CHECK(found.first_error->line == 1855U);
  CHECK(found.first_error->time == 0x180000000U);
  REQUIRE(found.last_error);
  CHECK(found.last_error->function == "ext4_find_entry");
  CHECK(found.last_error->line == 1600U);
  CHECK(found.last_error->time == 0x90000000U);
  CHECK_FALSE(is_stopped_by_error(found));
  guest.write(guest.super_block + super_block_at::flags, 1);
  CHECK(is_stopped_by_error(guest.one()));
}

TEST_CASE("file systems: an error that is not on its way to the disk yet is the last one") {
  Ext4 guest;
  guest.write(guest.info + 32, 2, 4);
  guest.write(guest.info + 40, guest.text("ext4_iget"));
  guest.write(guest.info + 48, 11, 4);
  guest.write(guest.info + 56, 1000);
  guest.write(guest.info + 64, guest.text("ext4_free_blocks"));
  guest.write(guest.info + 72, 22, 4);
  guest.write(guest.info + 80, 2000);
  SECTION("and the first, if it is") {
    const FileSystem found = guest.one();
    CHECK(found.error_count == 2U);
    CHECK(found.first_error->function == "ext4_iget");
    CHECK(found.first_error->line == 11U);
    CHECK(found.first_error->time == 1000U);
    CHECK(found.last_error->function == "ext4_free_blocks");
    CHECK(found.last_error->time == 2000U);
  }
  SECTION("but not behind others") {
    guest.write(guest.on_disk + 404, 5, 4);
    guest.write_text(guest.on_disk + 424, "ext4_lookup");
    const FileSystem found = guest.one();
    CHECK(found.error_count == 7U);
    CHECK(found.first_error->function == "ext4_lookup");
    CHECK(found.last_error->function == "ext4_free_blocks");
  }
}

TEST_CASE("file systems: a journal that is aborted or shut down takes no more writes") {
  Ext4 guest;
  SECTION("aborted") {
    guest.write(guest.journal, 2);
    guest.write(guest.journal + 8, 0xfffffffb, 4);  // -EIO
    const FileSystem found = guest.one();
    CHECK(found.journal->is_aborted == true);
    CHECK(found.journal->error == -5);
    CHECK(is_stopped_by_error(found));
  }
  SECTION("shut down") {
    guest.write(guest.info + 24, 1U << 1);
    CHECK(guest.one().is_shut_down == true);
    CHECK(is_stopped_by_error(guest.one()));
  }
  SECTION("read-only since an error, as ext4 says it since 6.14") {
    guest.write(guest.info + 24, 1U << 3);
    CHECK(guest.one().is_shut_down == true);
  }
}

TEST_CASE("file systems: what a journal writes, and who keeps it from that") {
  const auto states = [](const std::string& release) {
    Ext4 guest(release);
    const GuestVirtual transaction = guest.allocate(32);
    guest.write(guest.journal + 24, transaction);
    guest.write(transaction, 42, 4);
    guest.write(transaction + 8, 4000);
    guest.write(transaction + 16, 3, 4);
    std::string all;
    for (std::uint64_t state = 0; state < 10; ++state) {
      guest.write(transaction + 4, state, 4);
      const Journal journal = *guest.one().journal;
      CHECK_FALSE(journal.running);
      REQUIRE(journal.committing);
      CHECK(journal.committing->number == 42U);
      CHECK(journal.committing->handles == 3);
      CHECK(journal.committing->age_jiffies == 1000U);
      all += std::string(journal.committing->state.value_or("?")) + ", ";
    }
    return all;
  };
  CHECK(states("6.1.0") ==
        "running, locked, switch, flush, commit, commit dflush, commit jflush, commit callback, "
        "finished, ?, ");
  CHECK(states("4.19.97") ==
        "running, locked, flush, commit, commit dflush, commit jflush, commit callback, finished, "
        "?, ?, ");
}

TEST_CASE("file systems: XFS that has shut itself down, since 5.15 and before") {
  StorageGuest guest;
  const GuestVirtual super_block = guest.file_system("sdb1", "xfs");
  const GuestVirtual mount = guest.allocate(32);
  guest.write(super_block + super_block_at::info, mount);
  const auto is_shut_down = [&] { return file_systems_of(guest).back().is_shut_down; };
  SECTION("without its types") {
    CHECK_FALSE(is_shut_down());
  }
  SECTION("since") {
    guest.type("xfs_mount", 32, {{"m_opstate", 8}, {"m_flags", 16}});
    guest.write(mount + 16, 1U << 4);
    CHECK(is_shut_down() == false);
    guest.write(mount + 8, 1U << 2);
    CHECK(is_shut_down() == true);
  }
  SECTION("before") {
    guest.type("xfs_mount", 32, {{"m_flags", 16}});
    CHECK(is_shut_down() == false);
    guest.write(mount + 16, 1U << 4);
    CHECK(is_shut_down() == true);
  }
}

}  // namespace photon_dmesg::test
