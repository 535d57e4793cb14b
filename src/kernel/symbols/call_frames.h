#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"

namespace photon_dmesg {

// Where, at one place in a function, the frame of its caller is. The return address stands right in
// front of that frame, as a call leaves it.
struct CallFrame {
  enum class Base { Sp, Bp };

  Base base = Base::Sp;     // the register that it is found by, and how many bytes behind its value
  std::int64_t offset = 0;  // it begins
  // Where, counted from its beginning, the caller's frame pointer is saved; nothing: the function
  // has not touched it.
  std::optional<std::int64_t> saved_bp;
};

// What a compiler has noted of the frames of the kernel's functions. The interface behind which the
// reader of debug information stands.
class CallFrames {
 public:
  CallFrames() = default;
  CallFrames(const CallFrames&) = delete;
  CallFrames& operator=(const CallFrames&) = delete;
  virtual ~CallFrames() = default;

  // Of the instruction at `address`, as linked. Nothing where nothing is noted, as in assembly, or
  // nothing as simple as that.
  [[nodiscard]] virtual std::optional<CallFrame> find(GuestVirtual address) const = 0;
};

}  // namespace photon_dmesg
