#include "checkpoint/vmware/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "checkpoint/guest/completeness.h"
#include "checkpoint/guest/memory_image.h"
#include "checkpoint/guest/ram_base.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/cpu_group.h"
#include "checkpoint/vmware/memory_group.h"
#include "checkpoint/vmware/packed_memory.h"
#include "checkpoint/vmware/tag_file.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

std::string describe(const MemoryDescription& description) {
  if (description.regions.empty()) {
    return fmt::format("no memory regions: the image maps 1:1 from {}", description.ram_begin());
  }
  std::vector<std::string> parts;
  for (const MemoryRegion& region : description.regions) {
    parts.push_back(fmt::format("[PPN {:#x}, image page {:#x}, {:#x} pages]", region.first_ppn,
                                region.image_page, region.pages));
  }
  return fmt::format("memory regions {}", fmt::join(parts, ", "));
}

std::uint64_t configured_size(const MemoryDescription& description) {
  return description.configured_mib.value_or(0) * mebibyte;
}

// Whether only the processors say where RAM begins.
bool needs_base(const MemoryDescription& description) {
  return description.regions.empty() && description.machine() == Machine::Aarch64;
}

// A memory file of another size belongs to another checkpoint, or its copy was cut short.
void check_memory_file_size(const ByteSource& file, const MemoryDescription& description,
                            std::uint64_t expected, Completeness completeness) {
  const bool too_long =
      !description.regions.empty() && file.size() >= expected + description.alignment;
  const bool too_short = file.size() < expected && completeness == Completeness::Required;
  if (too_short || too_long) {
    throw Error(Failure::Mismatch,
                fmt::format("{}: the checkpoint describes {} bytes of memory, found {}: it is not "
                            "this checkpoint's memory, or an incomplete copy of it",
                            file.name(), expected, file.size()));
  }
}

// Another snapshot's memory is as long, and of the same kernel: says that beside `file` lies its
// own `what`, with one of `endings`, and `named` is used.
void warn_of_better(std::string_view what, const std::vector<std::string>& endings,
                    const ByteSource& file, const ByteSource& named, const FileTree& tree,
                    Diagnostics& diagnostics) {
  std::optional<std::filesystem::path> beside;
  try {
    beside = find_companion(tree, file.name(), endings);
  } catch (const Error&) {
    return;  // none of several is better than the one that was named
  }
  if (!beside || tree.are_same(*beside, named.name())) return;
  diagnostics.warn_of_lack(fmt::format(
      "{}: the {} beside {}, which has its name, is not used, as {} was named: if that is of "
      "another moment, registers and memory don't belong together",
      beside->string(), what, file.name(), named.name()));
}

// The memory inside the checkpoint.
void use_own_memory(GuestState& state, const MemoryDescription& description,
                    const std::shared_ptr<const ByteSource>& memory_file,
                    Diagnostics& diagnostics) {
  const ByteSource& file = *state.files.front();
  const MemoryDescription::Block& block = *description.block;
  MemoryLayout layout = with_context(file.name(), [&] { return description.layout(block.size); });
  if (layout.image_size() > block.size) {
    throw unusable(fmt::format("{}: the regions describe {} bytes of memory, found a block of {}",
                               file.name(), layout.image_size(), block.size));
  }
  if (memory_file) {
    diagnostics.warn_of_lack(
        fmt::format("not used: {}: {} holds the memory itself", memory_file->name(), file.name()));
  }
  diagnostics.found({.what = "memory",
                     .where = file.name(),
                     .how = fmt::format("in the checkpoint itself, {} bytes at offset {:#x}",
                                        block.size, block.offset)});
  const std::uint64_t there = file.size() - block.offset;
  cut_to(there,
         fmt::format("{}: incomplete: it holds {} bytes of memory, found {}", file.name(),
                     layout.image_size(), there),
         state, layout, diagnostics);
  state.memory_path = file.name();
  state.memory = std::make_unique<MemoryImage>(file, block.offset, std::move(layout));
  if (needs_base(description)) add_other_bases(state, file, block.offset, block.size);
}

std::shared_ptr<const ByteSource> open_memory_file_beside(const ByteSource& checkpoint,
                                                          const FileTree& tree,
                                                          Diagnostics& diagnostics) {
  const std::filesystem::path path = checkpoint.name();
  const auto beside = find_companion(tree, path, {"vmem"});
  if (!beside) {
    throw unusable(fmt::format(
        "{}: holds no memory, and there is no {}.vmem beside it: name the memory file, or take a "
        "snapshot that includes the memory",
        checkpoint.name(), path.stem().string()));
  }
  return open_guest_file(tree, *beside, diagnostics);
}

void use_memory_file(GuestState& state, const MemoryDescription& description,
                     std::shared_ptr<const ByteSource> memory_file, const FileTree& tree,
                     Completeness completeness, Diagnostics& diagnostics) {
  const ByteSource& checkpoint = *state.files.front();
  if (memory_file) {
    warn_of_better("memory", {"vmem"}, checkpoint, *memory_file, tree, diagnostics);
    warn_of_better("checkpoint", {"vmss", "vmsn"}, *memory_file, checkpoint, tree, diagnostics);
  } else {
    memory_file = open_memory_file_beside(checkpoint, tree, diagnostics);
  }
  refuse_encrypted(*memory_file);
  memory_file = unpack_memory(std::move(memory_file), diagnostics);
  if (memory_file->size() == 0) {
    throw unusable(
        fmt::format("{}: expected the guest's memory, found an empty file", memory_file->name()));
  }
  // Without regions, only the configuration says how much of it there should be.
  const std::uint64_t there = memory_file->size();
  MemoryLayout layout = with_context(checkpoint.name(), [&] {
    return description.layout(std::max(there, configured_size(description)));
  });
  check_memory_file_size(*memory_file, description, layout.image_size(), completeness);
  cut_to(there,
         fmt::format("{}: incomplete: the checkpoint describes {} bytes of memory, found {} (is it "
                     "the memory of another machine?)",
                     memory_file->name(), layout.image_size(), there),
         state, layout, diagnostics);
  diagnostics.found({.what = "memory",
                     .where = memory_file->name(),
                     .how = fmt::format("{} bytes", memory_file->size())});
  state.memory_path = memory_file->name();
  state.memory = std::make_unique<MemoryImage>(*memory_file, 0, std::move(layout));
  if (needs_base(description)) add_other_bases(state, *memory_file, 0, there);
  state.files.push_back(std::move(memory_file));
}

// A machine may have a little more memory than it was given, but not less.
void compare_with_configuration(const MemoryDescription& description, const GuestState& state,
                                Diagnostics& diagnostics) {
  if (!state.missing.empty()) return;
  const std::uint64_t configured = configured_size(description);
  if (state.memory->size() < configured) {
    diagnostics.warn(fmt::format(
        "{}: the memory regions add up to {} bytes, but the machine has {}: part of its memory is "
        "not in this checkpoint",
        state.path, state.memory->size(), configured));
  }
}

// What is lost may be no group that is needed; who needs one that is lost says so.
void warn_of_truncation(const TagFile& tags, Diagnostics& diagnostics) {
  const auto lost = std::count_if(tags.groups().begin(), tags.groups().end(),
                                  [](const TagFile::Group& group) { return group.truncated; });
  if (lost > 0) {
    diagnostics.warn(fmt::format("{}: truncated: {} of {} groups lie beyond its end",
                                 tags.source().name(), lost, tags.groups().size()));
  }
}

}  // namespace

GuestState open_checkpoint(std::shared_ptr<const ByteSource> file,
                           std::shared_ptr<const ByteSource> memory_file, const FileTree& tree,
                           Completeness completeness, Diagnostics& diagnostics) {
  refuse_encrypted(*file);
  GuestState state;
  state.path = file->name();
  const MemoryDescription description = with_context(file->name(), [&] {
    const TagFile tags(*file);
    diagnostics.found(
        {.what = fmt::format("{} (magic {:#x})", tags.magic().meaning, tags.magic().value),
         .where = file->name(),
         .how = fmt::format("{} groups", tags.groups().size())});
    MemoryDescription found = read_memory_description(tags, completeness);
    state.vcpus = read_vcpus(tags, found.machine(), diagnostics, completeness);
    warn_of_truncation(tags, diagnostics);
    tags.warn_if_cut(diagnostics);
    return found;
  });
  diagnostics.found({.what = fmt::format("{} vCPUs, {}", state.vcpus.size(), describe(description)),
                     .where = file->name()});
  state.files.push_back(std::move(file));
  if (description.block) {
    use_own_memory(state, description, memory_file, diagnostics);
  } else {
    use_memory_file(state, description, std::move(memory_file), tree, completeness, diagnostics);
  }
  compare_with_configuration(description, state, diagnostics);
  return state;
}

}  // namespace photon_dmesg
