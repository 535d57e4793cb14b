#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/budget.h"
#include "base/byte_source.h"
#include "base/expandable_file.h"
#include "kernel/symbols/call_frames.h"
#include "kernel/symbols/vmlinux/frame_rules.h"

namespace photon_dmesg {

// The call frames that .debug_frame tells (DWARF 5, 6.4): for each function a small program which,
// run as far as an instruction, says where its caller's registers are.
class DebugFrame final : public CallFrames {
 public:
  // Of the vmlinux at `path`; nothing if it has no such section. Throws Error(UnusableInput) when
  // the file can't be read.
  [[nodiscard]] static std::unique_ptr<DebugFrame> open(const std::filesystem::path& path);

  // Of that section, `name` being what messages call it. What is damaged tells nothing.
  DebugFrame(std::string name, std::vector<std::byte> section);

  // How many functions it tells of.
  [[nodiscard]] std::size_t count() const { return functions_.size(); }

  [[nodiscard]] std::optional<CallFrame> find(GuestVirtual address) const override;

 private:
  struct Function {
    GuestVirtual begin;
    std::uint64_t size = 0;  // bytes
    FileRange program;
    std::uint64_t common = 0;  // where what it shares with others stands: a key of common_
  };

  void index();
  void add_function(std::uint64_t common, FileRange entry);
  [[nodiscard]] std::optional<CallFrame> look_up(GuestVirtual address) const;

  std::vector<std::byte> bytes_;
  BufferSource section_;
  std::map<std::uint64_t, FrameFactors> common_;  // by where each stands
  std::vector<Function> functions_;               // by where they begin
  mutable Budget steps_;                          // of programs
  mutable std::unordered_map<std::uint64_t, std::optional<CallFrame>> known_;
};

}  // namespace photon_dmesg
