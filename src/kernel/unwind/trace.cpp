#include "kernel/unwind/trace.h"

namespace photon_dmesg {

std::string_view name_of(UnwindMethod method) {
  switch (method) {
    case UnwindMethod::Orc:
      return "orc";
    case UnwindMethod::FramePointers:
      return "frame_pointers";
    case UnwindMethod::DebugFrame:
      return "debug_frame";
    case UnwindMethod::None:
      break;
  }
  return "none";
}

std::string_view name_of(TraceEnd end) {
  switch (end) {
    case TraceEnd::User:
      return "user";
    case TraceEnd::KernelThread:
      return "kernel_thread";
    case TraceEnd::Start:
      return "start";
    case TraceEnd::Exited:
      return "exited";
    case TraceEnd::Broken:
      break;
  }
  return "broken";
}

std::string_view name_of(FrameKind kind) {
  switch (kind) {
    case FrameKind::Instruction:
      return "instruction";
    case FrameKind::Interrupted:
      return "interrupted";
    case FrameKind::Call:
      break;
  }
  return "call";
}

}  // namespace photon_dmesg
