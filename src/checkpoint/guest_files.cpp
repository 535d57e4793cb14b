#include "checkpoint/guest_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "checkpoint/dumps/elf_core.h"
#include "checkpoint/dumps/flattened_file.h"
#include "checkpoint/dumps/kdump_file.h"
#include "checkpoint/dumps/kdump_magic.h"
#include "checkpoint/dumps/lime_file.h"
#include "checkpoint/dumps/raw_memory.h"
#include "checkpoint/vmware/checkpoint.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/debug_guest.h"
#include "checkpoint/vmware/tag_file.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {
namespace {

bool is_checkpoint(const ByteSource& file) {
  return find_checkpoint_magic(file) != nullptr;
}

void refuse_memory_beside(const GuestFiles& files) {
  if (!files.memory) return;
  throw Error(Failure::Usage,
              fmt::format("{}: {} ({}) holds the memory itself: expected one of the two",
                          files.memory->name(), files.state.front()->name(), name_of(files.kind)));
}

// What opens the files of each format.
GuestState open_vmware(GuestFiles files, Diagnostics& diagnostics) {
  return open_checkpoint(std::move(files.state.front()), std::move(files.memory),
                         files.surroundings(), files.completeness, diagnostics);
}

GuestState open_debug(GuestFiles files, Diagnostics& diagnostics) {
  return open_debug_guest(std::move(files.state.front()), std::move(files.memory),
                          files.surroundings(), files.completeness, diagnostics);
}

GuestState open_core(GuestFiles files, Diagnostics& diagnostics) {
  refuse_memory_beside(files);
  return open_elf_core(std::move(files.state.front()), files.completeness, diagnostics);
}

GuestState open_kdump(GuestFiles files, Diagnostics& diagnostics) {
  refuse_memory_beside(files);
  for (std::shared_ptr<const ByteSource>& file : files.state) {
    if (is_flattened_kdump_file(*file)) file = put_in_order(*file, diagnostics);
  }
  if (files.state.size() == 1 && is_elf_core(*files.state.front())) {
    return open_core(std::move(files), diagnostics);
  }
  return open_kdump_files(std::move(files.state), diagnostics);
}

GuestState open_lime(GuestFiles files, Diagnostics& diagnostics) {
  refuse_memory_beside(files);
  return open_lime_file(std::move(files.state.front()), files.completeness, diagnostics);
}

// Formats that hold a machine's state in files of their own. A new one is a line here.
struct Format {
  GuestFileKind kind;
  std::string_view name;
  bool (*recognise)(const ByteSource& file);
  GuestState (*open)(GuestFiles files, Diagnostics& diagnostics);
};

constexpr std::array formats = {
    Format{GuestFileKind::Checkpoint, "VMware checkpoint", is_checkpoint, open_vmware},
    Format{GuestFileKind::ElfCore, "ELF core", is_elf_core, open_core},
    Format{GuestFileKind::Kdump, "kdump file", is_kdump_file, open_kdump},
    Format{GuestFileKind::Lime, "LiME image", is_lime_file, open_lime},
    // The one without a magic comes last.
    Format{GuestFileKind::DebugGuest, "VMware debug.guest", is_debug_guest, open_debug},
};

// Its line in the table; null if there is none, as for memory without a format.
const Format* find_format(GuestFileKind kind) {
  const auto* found = std::find_if(formats.begin(), formats.end(),
                                   [&](const Format& format) { return format.kind == kind; });
  return found == formats.end() ? nullptr : found;
}

// Of a file that is called so.
Error not_a_checkpoint(const ByteSource& file) {
  if (file.size() == 0) return unusable(fmt::format("{}: the file is empty", file.name()));
  return unusable(
      fmt::format("{}: expected a checkpoint (.vmss or .vmsn, magic such as {:#x}), found none",
                  file.name(), vmware::magics.front().value));
}

}  // namespace

GuestFileKind identify_guest_file(const ByteSource& file) {
  refuse_encrypted(file);
  const auto* found = std::find_if(formats.begin(), formats.end(),
                                   [&](const Format& format) { return format.recognise(file); });
  return found == formats.end() ? GuestFileKind::Unmarked : found->kind;
}

std::string_view name_of(GuestFileKind kind) {
  const Format* format = find_format(kind);
  return format == nullptr ? "memory" : format->name;
}

void find_checkpoint_beside(GuestFiles& files, Diagnostics& diagnostics) {
  const FileTree& tree = files.surroundings();
  const auto beside = find_companion(tree, files.memory->name(), {"vmss", "vmsn", "guest"});
  if (!beside) return;
  auto file = open_guest_file(tree, *beside, diagnostics);
  const GuestFileKind kind = identify_guest_file(*file);
  if (kind == GuestFileKind::Unmarked) throw not_a_checkpoint(*file);
  if (kind != GuestFileKind::Checkpoint && kind != GuestFileKind::DebugGuest) return;
  diagnostics.found({.what = "checkpoint",
                     .where = file->name(),
                     .how = fmt::format("it lies beside {}", files.memory->name())});
  files.kind = kind;
  files.state.push_back(std::move(file));
}

GuestState open_guest(GuestFiles files, Diagnostics& diagnostics) {
  if (files.state.empty() && !files.is_alone) find_checkpoint_beside(files, diagnostics);
  const Format* format = find_format(files.kind);
  return format == nullptr ? open_raw_memory(std::move(files.memory), diagnostics)
                           : format->open(std::move(files), diagnostics);
}

}  // namespace photon_dmesg
