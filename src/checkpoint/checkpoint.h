#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "base/input_file.h"
#include "checkpoint/guest_memory.h"
#include "checkpoint/memory_group.h"
#include "checkpoint/tag_file.h"
#include "checkpoint/vcpu.h"

namespace photon_dmesg {

// A suspended guest: its vCPUs and its memory, from a .vmss or .vmsn and, unless the checkpoint is
// monolithic, the memory file that belongs to it.
class Checkpoint {
 public:
  // Takes the opened checkpoint and reads its groups. `memory_file` is the file the user named, or
  // null: then the one beside the checkpoint is looked for if it is needed. Throws
  // Error(UnusableInput) when the checkpoint is damaged or no memory can be found, Error(Mismatch)
  // when the memory file has another size than the checkpoint describes.
  Checkpoint(std::unique_ptr<InputFile> file, std::unique_ptr<InputFile> memory_file,
             Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<Vcpu>& vcpus() const { return vcpus_; }
  [[nodiscard]] const GuestMemory& memory() const { return *memory_; }
  [[nodiscard]] const std::filesystem::path& path() const { return file_->path(); }
  // The file that holds the memory: the checkpoint itself when it is monolithic.
  [[nodiscard]] const std::filesystem::path& memory_path() const;

 private:
  void use_own_memory(const MemoryDescription& description, Diagnostics& diagnostics);
  void use_memory_file(const MemoryDescription& description, Diagnostics& diagnostics);

  std::unique_ptr<InputFile> file_;
  std::unique_ptr<InputFile> memory_file_;
  std::vector<Vcpu> vcpus_;
  std::unique_ptr<GuestMemory> memory_;
};

// The memory file that lies beside `checkpoint`: same base name, ".vmem" in any case. Nothing if
// there is none. Throws Error(Usage) when several files fit and none has the exact name.
[[nodiscard]] std::optional<std::filesystem::path> find_memory_file_beside(
    const std::filesystem::path& checkpoint);

}  // namespace photon_dmesg
