#include "session/symbol_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/file_stream.h"
#include "checkpoint/dumps/elf_core.h"
#include "iso/iso_image.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/profile.h"
#include "kernel/symbols/symbol_store.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/vmlinux/boot_image.h"
#include "kernel/symbols/vmlinux/boot_payload.h"
#include "kernel/symbols/vmlinux/elf_image.h"
#include "kernel/symbols/vmlinux/vmlinux.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {
namespace {

bool is_vmlinux(const ByteSource& file) {
  return is_elf_file(file) && !is_elf_core(file);
}

bool is_any_profile(const ByteSource& file) {
  return is_symbol_store(file) || is_profile(file);
}

void read_vmlinux(const SymbolInput& input, SymbolSource& source, Diagnostics& diagnostics) {
  source.symbols = Vmlinux::open(input.path, diagnostics);
  source.provenance.vmlinux = input.name();
}

// One whose table has functions only (linux-esx) tells nothing that the guest's memory does not.
void read_boot_image(const SymbolInput& input, SymbolSource& source, Diagnostics& diagnostics) {
  auto image = BootImage::load(*input.file, diagnostics);
  if (!has_log(*image)) {
    throw unusable(
        fmt::format("{}: its symbols are functions only, which do not tell where the log is: give "
                    "the System.map of the same build",
                    input.name()));
  }
  source.symbols = std::move(image);
  source.provenance.boot_image = input.name();
}

void read_system_map(const SymbolInput& input, SymbolSource& source, Diagnostics&) {
  FileStream stream(*input.file);
  source.symbols = SystemMap::load(stream);
  source.provenance.system_map = input.name();
}

// What such a file says is believed as far as other things bear it out.
std::shared_ptr<const KernelSymbols> read_unproved_profile(const ByteSource& file,
                                                           Diagnostics& diagnostics) {
  std::shared_ptr<Profile> profile = Profile::read(file);
  for (const std::string& name : profile->forget_structs_unless(is_as_known)) {
    diagnostics.warn_of_lack(fmt::format(
        "{}: struct {}: its members lie as in no known kernel: it is not used", file.name(), name));
  }
  diagnostics.warn_of_lack(
      fmt::format("{}: a profile of version 1 has no checksum, by which damage would show: make it "
                  "again with this photon-dmesg",
                  file.name()));
  return profile;
}

void read_profile(const SymbolInput& input, SymbolSource& source, Diagnostics& diagnostics) {
  if (is_symbol_store(*input.file)) {
    auto store = SymbolStore::read(*input.file);
    // Of a banner there is better proof; without one it is what whoever made the profile said.
    if (!banner_of(*store)) source.release = store->release();
    source.symbols = std::move(store);
  } else {
    source.symbols = read_unproved_profile(*input.file, diagnostics);
  }
  source.provenance.profile = input.name();
}

struct KindEntry {
  SymbolKind kind;
  std::string_view name;
  bool (*recognise)(const ByteSource& file);  // null: not a file
  // Null: it holds packages.
  void (*read)(const SymbolInput& input, SymbolSource& source, Diagnostics& diagnostics);
};

// In the order in which a file is looked at.
constexpr std::array kinds = {
    KindEntry{SymbolKind::Package, "package", is_rpm_package, nullptr},
    KindEntry{SymbolKind::Vmlinux, "vmlinux", is_vmlinux, read_vmlinux},
    KindEntry{SymbolKind::BootImage, "boot image (vmlinuz)", is_boot_image, read_boot_image},
    KindEntry{SymbolKind::Profile, "profile", is_any_profile, read_profile},
    KindEntry{SymbolKind::SystemMap, "System.map", is_system_map, read_system_map},
    KindEntry{SymbolKind::Iso, "ISO image", is_iso_image, nullptr},
    KindEntry{SymbolKind::Folder, "folder of packages", nullptr, nullptr},
};

const KindEntry& entry_of(SymbolKind kind) {
  return *std::find_if(kinds.begin(), kinds.end(),
                       [&](const KindEntry& entry) { return entry.kind == kind; });
}

}  // namespace

std::string_view name_of(SymbolKind kind) {
  return entry_of(kind).name;
}

std::optional<SymbolKind> identify_symbols(const ByteSource& file) {
  for (const KindEntry& entry : kinds) {
    if (entry.recognise != nullptr && entry.recognise(file)) return entry.kind;
  }
  return std::nullopt;
}

bool holds_packages(SymbolKind kind) {
  return entry_of(kind).read == nullptr;
}

SymbolSource read_symbols(const SymbolInput& input, Diagnostics& diagnostics) {
  SymbolSource source;
  entry_of(input.kind).read(input, source, diagnostics);
  return source;
}

}  // namespace photon_dmesg
