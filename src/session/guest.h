#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/find/running_kernel.h"
#include "session/inputs.h"
#include "session/symbol_candidates.h"
#include "session/symbol_pool.h"

namespace photon_dmesg {

// A guest: its files, opened and understood as far as its kernel.
class Guest {
 public:
  // Takes the files apart as far as the kernel, and takes its symbols from `pool`, or from the
  // guest's own memory if the pool has none of its kernel: that is a warning, unless the pool is
  // empty, or if it is strict the Error that says why. Other ways to read the files are tried where
  // the one that was named fails. Throws the Error of whichever step fails; Error(Usage) if there
  // is no file of a guest.
  Guest(const Inputs& inputs, std::shared_ptr<SymbolPool> pool, Diagnostics& diagnostics);

  [[nodiscard]] const GuestState& state() const { return state_; }
  [[nodiscard]] const SymbolSource& symbols() const { return symbols_; }
  [[nodiscard]] const SymbolPool& pool() const { return *pool_; }
  [[nodiscard]] const GuestKernel& kernel() const { return *kernel_; }
  // Where its files lie.
  [[nodiscard]] const FileTree& surroundings() const { return tree_ ? *tree_ : disk_tree(); }
  // What VMware calls the VM, if the checkpoint says so.
  [[nodiscard]] const std::optional<std::string>& vm_name() const { return vm_name_; }

  // Whether `vcpu` was running kernel(), by where its page tables lead from its RIP: not so if the
  // guest had crashed and another kernel was saving its memory. True where it can't be told.
  [[nodiscard]] bool runs_kernel(const Vcpu& vcpu) const;

  // Says what of its memory could not be read so far, which is a lack of whatever was made of it.
  void warn_of_unreadable(Diagnostics& diagnostics) const;

  // Takes the symbols of kernel() from its own memory instead. False if they are that already, or
  // if the pool is strict. Throws Error if there are none; then all stays as it was.
  bool use_own_symbols(Diagnostics& diagnostics);

 private:
  std::optional<RunningKernel> find_kernel(bool required, Diagnostics& diagnostics);
  std::optional<RunningKernel> choose_reading(Diagnostics& diagnostics);
  [[nodiscard]] std::optional<RunningKernel> choose_base(Diagnostics& diagnostics);
  std::optional<RunningKernel> open_files(const Inputs& inputs, Diagnostics& diagnostics);
  std::optional<RunningKernel> open_way(GuestFiles files, Diagnostics& diagnostics);
  void open_kernel(std::optional<RunningKernel> running, Diagnostics& diagnostics);
  void open_by_memory(const RunningKernel& running, Diagnostics& diagnostics);
  bool open_by_candidates(const std::optional<RunningKernel>& running, std::vector<Error>& failures,
                          Diagnostics& diagnostics);
  [[nodiscard]] Error no_kernel() const;
  void attach(const std::optional<RunningKernel>& running, SymbolSource source,
              Diagnostics& diagnostics);
  void open_crashed_kernel(GuestPhysical elf_core_header, Diagnostics& diagnostics);

  std::shared_ptr<SymbolPool> pool_;
  std::shared_ptr<const FileTree> tree_;
  std::optional<std::string> vm_name_;
  GuestState state_;
  SymbolSource symbols_;
  std::optional<GuestKernel> kernel_;  // refers to the two above
};

}  // namespace photon_dmesg
