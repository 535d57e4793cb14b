#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/budget.h"
#include "base/byte_source.h"
#include "base/expandable_file.h"
#include "kernel/symbols/call_frames.h"

namespace photon_dmesg {

// What the programs of a CIE and its FDEs share (DWARF 5, 6.4.1).
struct FrameFactors {
  std::uint64_t code = 0;  // by which distances in code are to be multiplied
  std::int64_t data = 0;   // and those on the stack
  FileRange program;       // that comes before that of each function
};

// Runs a program of call frame instructions (DWARF 5, 6.4.2). Only what leads to the caller is kept
// of it: the frame itself, the return address and rbp.
class FrameRules {
 public:
  // `section` and `steps`, of which each instruction takes one, must outlive this object.
  FrameRules(const ByteSource& section, const FrameFactors& factors, Budget& steps)
      : section_(section), factors_(factors), steps_(steps) {}

  // The frame at `distance` bytes into the function whose program is `program`; nothing if that
  // does not tell it or is damaged. Throws Error(UnusableInput) when it ends within an instruction.
  [[nodiscard]] std::optional<CallFrame> run(FileRange program, std::uint64_t distance);

 private:
  // Where the value is that a register has in the caller.
  struct Rule {
    enum class Kind { Same, Saved, Unknown };
    Kind kind = Kind::Same;
    std::int64_t offset = 0;  // Saved: from the caller's frame
  };
  struct Rules {
    std::optional<std::uint64_t> base;  // by DWARF's number; nothing: an expression
    std::int64_t offset = 0;
    Rule bp;
    Rule return_address{Rule::Kind::Unknown, 0};
  };
  class Program;

  [[nodiscard]] std::optional<CallFrame> frame() const;
  void set(std::uint64_t number, Rule rule);
  void restore(std::uint64_t number);
  void restore_remembered();

  const ByteSource& section_;
  const FrameFactors& factors_;
  Budget& steps_;
  Rules rules_;
  Rules initial_;  // as the common program leaves them
  std::vector<Rules> remembered_;
  bool is_sound_ = true;  // so far; else it tells nothing
};

}  // namespace photon_dmesg
