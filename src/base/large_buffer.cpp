#include "base/large_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace photon_dmesg {
namespace {

constexpr std::size_t large_page = std::size_t{2} * 1024 * 1024;

}  // namespace

void LargeBuffer::Free::operator()(std::byte* bytes) const {
  std::free(bytes);
}

// Only whole large pages are asked for: of the last one the rest would be memory for nothing.
LargeBuffer::LargeBuffer(std::size_t size) : size_(size) {
  void* memory = nullptr;
  if (size < large_page) {
    memory = std::malloc(size);
  } else if (::posix_memalign(&memory, large_page, size) != 0) {
    memory = nullptr;
  }
  if (memory == nullptr && size > 0) throw std::bad_alloc();
  bytes_.reset(static_cast<std::byte*>(memory));
  if (size >= large_page) (void)::madvise(memory, size / large_page * large_page, MADV_HUGEPAGE);
}

}  // namespace photon_dmesg
