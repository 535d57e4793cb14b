#include "checkpoint/vmware/memory_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// More than any known layout (3), so that a damaged count can't exhaust memory.
constexpr std::uint64_t region_limit = 1024;
constexpr std::uint64_t largest_alignment = 1 << 30;

struct RegionTags {
  std::optional<std::uint64_t> ppn;
  std::optional<std::uint64_t> image_page;
  std::optional<std::uint64_t> pages;
};

struct Collected {
  std::map<std::uint32_t, RegionTags> regions;
  std::optional<std::uint64_t> region_count;
  std::uint64_t seen = 0;  // the highest index, and one; only those that there may be are kept
};

MemoryDescription::Block read_memory_block(const CheckpointTag& tag) {
  if (tag.encoding == CheckpointTag::Encoding::CompressedBlock) {
    throw unusable(fmt::format(
        "the memory in tag \"{}\" at offset {:#x} is compressed ({} bytes), which no published "
        "format describes: take a snapshot with a separate .vmem, or disable compression",
        tag.name, tag.value_offset, tag.value_size));
  }
  if (tag.encoding == CheckpointTag::Encoding::Inline) {
    throw unusable(fmt::format("tag \"{}\": expected a block of memory, found {} bytes", tag.name,
                               tag.value_size));
  }
  return {tag.value_offset, tag.value_size};
}

void collect_tag(const TagFile& file, const CheckpointTag& tag, Collected& collected,
                 MemoryDescription& memory) {
  namespace name = vmware::tag;
  if (tag.name == name::memory_block) {
    memory.block = read_memory_block(tag);
    return;
  }
  if (tag.encoding != CheckpointTag::Encoding::Inline) {
    return;
  }
  if (tag.name == name::region_count) {
    collected.region_count = file.value_of(tag);
  } else if (tag.name == name::align_mask) {
    const std::uint64_t mask = file.value_of(tag);
    if (mask < largest_alignment) memory.alignment = mask + 1;
  }
  if (tag.name != name::region_ppn && tag.name != name::region_page_number &&
      tag.name != name::region_size) {
    return;
  }
  // The index may be left out where there is one region.
  const std::uint32_t region = tag.indices.empty() ? 0 : tag.indices.front();
  collected.seen = std::max(collected.seen, std::uint64_t{region} + 1);
  if (region >= region_limit) return;
  if (tag.name == name::region_ppn) collected.regions[region].ppn = file.value_of(tag);
  if (tag.name == name::region_page_number) {
    collected.regions[region].image_page = file.value_of(tag);
  }
  if (tag.name == name::region_size) collected.regions[region].pages = file.value_of(tag);
}

std::vector<MemoryRegion> complete_regions(const Collected& collected) {
  const std::uint64_t count = collected.region_count.value_or(
      collected.seen > region_limit ? collected.seen : collected.regions.size());
  if (count > region_limit) {
    throw unusable(
        fmt::format("expected at most {} memory regions, found {}", region_limit, count));
  }
  if (collected.region_count && collected.seen > count) {
    throw unusable(fmt::format("damaged: {} memory regions are counted, and {} described", count,
                               collected.seen));
  }
  std::vector<MemoryRegion> regions;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto found = collected.regions.find(i);
    const RegionTags tags = found == collected.regions.end() ? RegionTags{} : found->second;
    // Rekall notes files with one region that leave out regionPageNum.
    const std::optional<std::uint64_t> image_page =
        count == 1 ? tags.image_page.value_or(0) : tags.image_page;
    if (!tags.ppn || !image_page || !tags.pages) {
      throw unusable(fmt::format(
          "memory region {} of {}: expected {}, {} and {}, found {} of the three", i, count,
          vmware::tag::region_ppn, vmware::tag::region_page_number, vmware::tag::region_size,
          (tags.ppn ? 1 : 0) + (tags.image_page ? 1 : 0) + (tags.pages ? 1 : 0)));
    }
    regions.push_back({*tags.ppn, *image_page, *tags.pages});
  }
  return regions;
}

void read_machine(const TagFile& file, MemoryDescription& memory) {
  file.for_each_tag(vmware::group::checkpoint, [&](const CheckpointTag& tag) {
    if (tag.encoding != CheckpointTag::Encoding::Inline) return;
    if (tag.name == vmware::tag::memory_size_mib) memory.configured_mib = file.value_of(tag);
    if (tag.name == vmware::tag::platform) memory.platform = file.value_of(tag);
  });
}

}  // namespace

MemoryDescription read_memory_description(const TagFile& file, Completeness completeness) {
  MemoryDescription memory;
  Collected collected;
  const auto collect = [&](const CheckpointTag& tag) { collect_tag(file, tag, collected, memory); };
  if (completeness == Completeness::NotRequired) {
    file.for_each_tag(vmware::group::memory, collect, completeness);
  }
  // Only what stands before the memory says where in the guest it lies. If that is cut, all is.
  if (!memory.block) {
    collected = {};
    file.for_each_tag(vmware::group::memory, collect);
  }
  try {
    read_machine(file, memory);
  } catch (const Error&) {
    // That part is damaged or cut off. It only confirms what the memory says of itself.
  }
  memory.regions = complete_regions(collected);
  return memory;
}

}  // namespace photon_dmesg
