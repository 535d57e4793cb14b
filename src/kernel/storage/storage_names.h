#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// Tells what belongs to which file system or disk, of what tasks wait for. What these are is only
// looked up when it is first asked for.
class StorageNames {
 public:
  // Both must outlive this object.
  StorageNames(const GuestKernel& kernel, const KernelTypes& types);
  StorageNames(const StorageNames&) = delete;
  StorageNames& operator=(const StorageNames&) = delete;
  ~StorageNames();

  // "page of inode 13 on dm-0 (ext4)", "page of nvme0n1": what the struct page (or folio) at `page`
  // holds. Nothing if that is no part of a file or disk.
  [[nodiscard]] std::optional<std::string> page(GuestVirtual page) const;

  // "block 2314 on nvme0n1": the buffer_head whose state is the word at `state`.
  [[nodiscard]] std::optional<std::string> buffer(GuestVirtual state) const;

  // "I/O on dm-0": the struct bio at `bio`, if it is one that completes `completion` at its end.
  [[nodiscard]] std::optional<std::string> io(GuestVirtual bio, GuestVirtual completion) const;

  // From the beginning of a bio to the word that has the address of what it completes.
  [[nodiscard]] std::optional<std::uint64_t> completion_in_bio() const;

  // "frozen file system dm-0 (ext4)", if `lock` is one of those that its writers wait in.
  [[nodiscard]] std::optional<std::string> frozen_file_system(GuestVirtual lock) const;

  // "s_umount of dm-0 (ext4)", "open_mutex of sda", "i_rwsem of inode 2 on dm-0 (ext4)": the member
  // that `address` is in.
  [[nodiscard]] std::optional<std::string> member(GuestVirtual address) const;

 private:
  // A structure of the kernel's that stands for something with a name.
  struct Object {
    std::string_view type;
    std::uint64_t size = 0;
    std::string name;
  };
  struct Tables;

  [[nodiscard]] const Tables& tables() const;
  [[nodiscard]] std::optional<std::string> member_of_inode(GuestVirtual address) const;
  [[nodiscard]] std::optional<std::string> inode_name(GuestVirtual inode) const;
  [[nodiscard]] std::optional<std::string> member_at(std::string_view type,
                                                     std::uint64_t offset) const;

  const KernelMemory& memory_;
  const GuestKernel& kernel_;
  const KernelTypes& types_;
  mutable std::unique_ptr<const Tables> tables_;
};

}  // namespace photon_dmesg
