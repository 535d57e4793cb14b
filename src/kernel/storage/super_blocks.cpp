#include "kernel/storage/super_blocks.h"

#include <fmt/format.h>

#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

// A host of containers has some thousands.
constexpr std::size_t most_super_blocks = std::size_t{1} << 16;

constexpr std::size_t longest_type = 24;  // bytes: "fuseblk", "nfsd", "bpf"

}  // namespace

SuperBlocks find_super_blocks(const GuestKernel& kernel, const KernelTypes& types) {
  SuperBlocks found;
  const auto head = kernel.find_address("super_blocks");
  const auto link = types.find("super_block.s_list");
  if (!head || !link) return found;
  ListNodes list = walk_list(kernel.memory(), *head, most_super_blocks);
  for (const GuestVirtual node : list.nodes) found.all.push_back({node.value - link->offset});
  found.broken = std::move(list.broken);
  return found;
}

std::string name_of_file_system(const std::string& device, const std::string& type) {
  return device.empty() || device == type ? type : fmt::format("{} ({})", device, type);
}

std::string read_device(const KernelMemory& memory, const KernelTypes& types,
                        GuestVirtual super_block) {
  return read_text(memory, super_block, types.find("super_block.s_id")).value_or("");
}

std::string read_type(const KernelMemory& memory, const KernelTypes& types,
                      GuestVirtual super_block) {
  const auto type = read_pointer(memory, super_block, types.find("super_block.s_type"));
  const auto name =
      type ? read_pointer(memory, *type, types.find("file_system_type.name")) : std::nullopt;
  return name ? memory.read_text(*name, longest_type).value_or("") : "";
}

}  // namespace photon_dmesg
