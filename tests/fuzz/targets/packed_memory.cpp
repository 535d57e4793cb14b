// Memory that is packed in blocks, and FastLZ by itself.
#include "checkpoint/vmware/packed_memory.h"

#include "checkpoint/vmware/fastlz.h"
#include "fuzz/input.h"

namespace photon_dmesg::fuzz {
namespace {

void unpack(Input& input) {
  std::vector<std::byte> target(input.number(2));
  const bool zeros_in_front = (input.byte() & 1) != 0;
  const Bytes before = input.take(input.number(2));
  (void)unpack_fastlz(input.rest(), before, zeros_in_front, target);
}

}  // namespace

void fuzz_packed_memory(Bytes bytes) {
  Input input(bytes);
  const unsigned choice = input.byte();
  if ((choice & 1) != 0) return unpack(input);
  const auto file = std::make_shared<BufferSource>("vm.vmem", input.rest());
  (void)is_packed_memory(*file);
  const PackedMemory memory(file);
  // Whole blocks of 4 MiB take long.
  constexpr std::uint64_t quickly_read = 65536;
  if (memory.size() > quickly_read && (choice & 2) == 0) return;
  std::vector<std::byte> end(std::min<std::uint64_t>(memory.size(), 4096));
  memory.read_at(memory.size() - end.size(), end);
  memory.read_at(0, end);
}

}  // namespace photon_dmesg::fuzz
