#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file_tree.h"
#include "session/bundle_tree.h"

namespace photon_dmesg {

// What of a folder's files can be of a guest, by their names, and by their first bytes, unpacked if
// they are packed, where these tell nothing.
struct FolderFiles {
  std::vector<std::filesystem::path> checkpoints;     // .vmss, .vmsn
  std::vector<std::filesystem::path> memories;        // .vmem
  std::vector<std::filesystem::path> configurations;  // .vmx
  std::vector<std::filesystem::path> dumps;           // cores, kdump files, LiME images
  std::vector<std::filesystem::path> bundles;         // archives, which may hold any of these
  std::vector<std::filesystem::path> host_logs;       // vmware.log
  std::vector<std::filesystem::path> symbols;         // of kernels: ISOs, packages, vmlinux...
  std::vector<std::filesystem::path> companions;      // what else VMware keeps of a VM
  std::vector<std::filesystem::path> unreadable;  // whatever they are: whoever reads one says why
  std::vector<std::filesystem::path> others;      // none of these

  const FileTree* tree = &disk_tree();  // that all of them lie in

  // Tells what `path` is, and adds it. Reads no more of it than that takes.
  void add(const std::filesystem::path& path);

  // The same of a file or a link in a bundle that `bundles` has entered, which must outlive this.
  // A bundle in it is none.
  void add_bundled(const BundleTree& bundles, const std::filesystem::path& path);
};

// Whether `path` is called as checkpoints, memory and bundles are: all that there is to go by where
// a link leads nowhere.
[[nodiscard]] bool is_named_as_evidence(const std::filesystem::path& path);

// What the VM of a checkpoint is called, by the checkpoint's name: without a snapshot's number.
[[nodiscard]] std::string name_of_vm(const std::filesystem::path& checkpoint);

// The checkpoints that stand for the VMs in a folder, one each: the current one by its .vmx, or by
// names: what it was suspended to, or its newest snapshot. Names are of one VM if they are alike in
// upper and lower case too. All of them if `all_snapshots`.
[[nodiscard]] std::vector<std::filesystem::path> choose_checkpoints(const FolderFiles& files,
                                                                    bool all_snapshots);

// The memories that no checkpoint of the folder is of: that is all there is of these guests. A
// checkpoint is of the memory with its name, or, if there is none, of those that differ from it in
// upper and lower case alone.
[[nodiscard]] std::vector<std::filesystem::path> lone_memories(const FolderFiles& files);

}  // namespace photon_dmesg
