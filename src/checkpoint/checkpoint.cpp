#include "checkpoint/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "checkpoint/cpu_group.h"
#include "checkpoint/memory_image.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string describe(const MemoryDescription& description) {
  if (description.regions.empty()) {
    return "no memory regions: the image maps 1:1 from 0";
  }
  std::vector<std::string> parts;
  for (const MemoryRegion& region : description.regions) {
    parts.push_back(fmt::format("[PPN {:#x}, image page {:#x}, {:#x} pages]", region.first_ppn,
                                region.image_page, region.pages));
  }
  return fmt::format("memory regions {}", fmt::join(parts, ", "));
}

// A memory file of another size belongs to another checkpoint, or its copy was cut short.
void check_memory_file_size(const InputFile& file, const MemoryDescription& description,
                            const MemoryLayout& layout) {
  const bool has_regions = !description.regions.empty();
  const std::uint64_t expected =
      has_regions ? layout.image_size() : description.configured_mib.value_or(0) * mebibyte;
  const bool too_long = has_regions && file.size() - expected >= description.alignment;
  if (file.size() < expected || too_long) {
    throw Error(Failure::Mismatch,
                fmt::format("{}: the checkpoint describes {} bytes of memory, found {}: it is not "
                            "this checkpoint's memory, or an incomplete copy of it",
                            file.name(), expected, file.size()));
  }
}

}  // namespace

std::optional<std::filesystem::path> find_memory_file_beside(
    const std::filesystem::path& checkpoint) {
  namespace fs = std::filesystem;
  const std::string exact = checkpoint.stem().string() + ".vmem";
  const fs::path folder = checkpoint.has_parent_path() ? checkpoint.parent_path() : fs::path(".");
  std::vector<std::string> found;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == exact) {
      return folder / name;
    }
    if (lower_case(name) == lower_case(exact)) {
      found.push_back(name);
    }
  }
  if (found.size() > 1) {
    std::sort(found.begin(), found.end());
    throw Error(Failure::Usage,
                fmt::format("{}: several memory files fit ({}): name the one to use",
                            checkpoint.string(), fmt::join(found, ", ")));
  }
  return found.empty() ? std::nullopt : std::optional(folder / found.front());
}

Checkpoint::Checkpoint(std::unique_ptr<InputFile> file, std::unique_ptr<InputFile> memory_file,
                       Diagnostics& diagnostics)
    : file_(std::move(file)), memory_file_(std::move(memory_file)) {
  refuse_encrypted(*file_);
  const MemoryDescription description = with_context(file_->name(), [&] {
    const TagFile tags(*file_);
    diagnostics.note(fmt::format("{}: {} (magic {:#x}), {} groups", file_->name(),
                                 tags.magic().meaning, tags.magic().value, tags.groups().size()));
    vcpus_ = read_vcpus(tags, diagnostics);
    return read_memory_description(tags);
  });
  diagnostics.note(
      fmt::format("{}: {} vCPUs, {}", file_->name(), vcpus_.size(), describe(description)));
  if (description.block) {
    use_own_memory(description, diagnostics);
  } else {
    use_memory_file(description, diagnostics);
  }
}

void Checkpoint::use_own_memory(const MemoryDescription& description, Diagnostics& diagnostics) {
  const MemoryDescription::Block& block = *description.block;
  MemoryLayout layout =
      with_context(file_->name(), [&] { return MemoryLayout(description.regions, block.size); });
  if (layout.image_size() > block.size) {
    throw unusable(fmt::format("{}: the regions describe {} bytes of memory, found a block of {}",
                               file_->name(), layout.image_size(), block.size));
  }
  if (memory_file_) {
    diagnostics.warn(fmt::format("{}: not used: {} holds the memory itself", memory_file_->name(),
                                 file_->name()));
    memory_file_.reset();
  }
  diagnostics.note(fmt::format("memory: in the checkpoint itself, {} bytes at offset {:#x}",
                               block.size, block.offset));
  memory_ = std::make_unique<MemoryImage>(*file_, block.offset, std::move(layout));
}

void Checkpoint::use_memory_file(const MemoryDescription& description, Diagnostics& diagnostics) {
  if (!memory_file_) {
    const std::optional<std::filesystem::path> beside = find_memory_file_beside(file_->path());
    if (!beside) {
      throw unusable(fmt::format(
          "{}: holds no memory, and there is no {}.vmem beside it: name the memory file, or take a "
          "snapshot that includes the memory",
          file_->name(), file_->path().stem().string()));
    }
    memory_file_ = std::make_unique<InputFile>(*beside);
  }
  refuse_encrypted(*memory_file_);
  if (memory_file_->size() == 0) {
    throw unusable(
        fmt::format("{}: expected the guest's memory, found an empty file", memory_file_->name()));
  }
  MemoryLayout layout = with_context(
      file_->name(), [&] { return MemoryLayout(description.regions, memory_file_->size()); });
  check_memory_file_size(*memory_file_, description, layout);
  diagnostics.note(fmt::format("memory: {}, {} bytes", memory_file_->name(), memory_file_->size()));
  memory_ = std::make_unique<MemoryImage>(*memory_file_, 0, std::move(layout));
}

const std::filesystem::path& Checkpoint::memory_path() const {
  return memory_file_ ? memory_file_->path() : file_->path();
}

}  // namespace photon_dmesg
