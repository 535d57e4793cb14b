#include "kernel/waits/wait.h"

namespace photon_dmesg {

std::string_view name_of(WaitKind kind) {
  switch (kind) {
    case WaitKind::Mutex:
      return "mutex";
    case WaitKind::RtMutex:
      return "rt_mutex";
    case WaitKind::RwSemaphore:
      return "rw_semaphore";
    case WaitKind::Semaphore:
      return "semaphore";
    case WaitKind::Completion:
      return "completion";
    case WaitKind::PercpuRwSemaphore:
      return "percpu_rw_semaphore";
    case WaitKind::Page:
      return "page";
    case WaitKind::Bit:
      return "bit";
    case WaitKind::WaitQueue:
      break;
  }
  return "wait_queue";
}

}  // namespace photon_dmesg
