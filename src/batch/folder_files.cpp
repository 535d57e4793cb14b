#include "batch/folder_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/input_file.h"
#include "base/packed_file.h"
#include "checkpoint/guest_files.h"
#include "checkpoint/vmware/companion_file.h"
#include "session/bundle_names.h"
#include "session/bundle_walk.h"
#include "session/symbol_kinds.h"
#include "session/vm_file_names.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

using Paths = std::vector<fs::path>;

using Kind = Paths FolderFiles::*;

struct NameRule {
  const char* pattern;
  Kind kind;
};

// The first that fits counts.
constexpr std::array rules = {
    NameRule{"*.vmss", &FolderFiles::checkpoints},
    NameRule{"*.vmsn", &FolderFiles::checkpoints},
    NameRule{"*.guest", &FolderFiles::checkpoints},
    NameRule{"*.vmem", &FolderFiles::memories},
    NameRule{vm_configuration_name, &FolderFiles::configurations},
    NameRule{"vmware.log", &FolderFiles::host_logs},
    NameRule{"*.iso", &FolderFiles::symbols},
    NameRule{"*.rpm", &FolderFiles::symbols},
};

// Where every kind of file has its mark.
constexpr std::size_t marked_bytes = 64 * 1024;

const NameRule* find_rule(const fs::path& path) {
  const auto* rule = std::find_if(rules.begin(), rules.end(), [&](const NameRule& known) {
    return is_named_or_packed(path, known.pattern);
  });
  return rule == rules.end() ? nullptr : rule;
}

bool is_known_name(const fs::path& path) {
  const auto known = vm_file_names();
  return std::any_of(known.begin(), known.end(), [&](const VmFileName& name) {
    return !name.what.empty() && is_named_or_packed(path, name.pattern);
  });
}

// Whether a file says by its name that it is packed, or an archive.
bool is_named_as_packed(const fs::path& path) {
  return is_packed_name(path) || may_be_bundle(path.string());
}

Kind kind_of_guest(const ByteSource& file, Kind unmarked) {
  switch (identify_guest_file(file)) {
    case GuestFileKind::Unmarked:
      return unmarked;
    case GuestFileKind::Checkpoint:
      return &FolderFiles::checkpoints;
    default:
      return &FolderFiles::dumps;
  }
}

Kind kind_of_packed(const InputFile& file) {
  if (is_bundle(file)) return &FolderFiles::bundles;
  const std::vector<std::byte> begin = peek_unpacked(file, marked_bytes);
  return kind_of_guest(BufferSource(file.name(), begin), &FolderFiles::others);
}

// What was cut or overwritten at its beginning may be anything that its name says.
Kind kind_of_unmarked(const InputFile& file) {
  if (file.size() > 0 && is_bundle(file)) return &FolderFiles::bundles;
  return is_named_as_packed(file.path()) ? &FolderFiles::unreadable : &FolderFiles::others;
}

Kind kind_by_content(const fs::path& path) {
  try {
    const InputFile file(path);
    if (packing_of(file)) return kind_of_packed(file);
    if (file.size() == 0) return kind_of_unmarked(file);
    if (identify_symbols(file)) return &FolderFiles::symbols;
    return kind_of_guest(file, kind_of_unmarked(file));
  } catch (const Error&) {
    return &FolderFiles::unreadable;
  }
}

Kind kind_of(const fs::path& path) {
  if (const NameRule* rule = find_rule(path)) return rule->kind;
  return is_known_name(path) ? &FolderFiles::companions : kind_by_content(path);
}

// What VMware puts behind a VM's name for its snapshots, with their numbers behind it.
constexpr std::string_view snapshot_mark = "-Snapshot";

struct CheckpointName {
  std::string vm;
  std::uint64_t snapshot = 0;  // 0: none
};

CheckpointName split_name(const fs::path& checkpoint) {
  const std::string stem = name_without_endings(checkpoint);
  const std::size_t mark = stem.rfind(snapshot_mark);
  if (mark == std::string::npos) return {stem, 0};
  std::uint64_t number = 0;
  const char* const end = stem.data() + stem.size();
  const auto parsed = std::from_chars(stem.data() + mark + snapshot_mark.size(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return {stem, 0};
  return {stem.substr(0, mark), number};
}

// What a VM was suspended to is newer than its snapshots, or it would be gone.
bool is_older(const fs::path& left, const fs::path& right) {
  const auto age = [](const fs::path& path) {
    const std::uint64_t snapshot = split_name(path).snapshot;
    return std::pair(snapshot == 0, snapshot);
  };
  return age(left) < age(right);
}

fs::path current_of(const Paths& checkpoints, const FolderFiles& files) {
  for (const fs::path& vmx : files.configurations) {
    if (const auto current = find_current(*files.tree, vmx, checkpoints)) return *current;
  }
  return *std::max_element(checkpoints.begin(), checkpoints.end(), is_older);
}

}  // namespace

void FolderFiles::add(const fs::path& path) {
  (this->*kind_of(path)).push_back(path);
}

void FolderFiles::add_bundled(const BundleTree& bundles, const fs::path& path) {
  tree = &bundles;
  if (const NameRule* rule = find_rule(path)) {
    (this->*rule->kind).push_back(path);
    return;
  }
  const FirstBytes said = bundles.first_bytes(path);
  if (said == FirstBytes::OfGuest) dumps.push_back(path);
  // Whoever reads it says why.
  if (said == FirstBytes::CanNotBeUnpacked) unreadable.push_back(path);
}

bool is_named_as_evidence(const fs::path& path) {
  return find_rule(path) != nullptr || may_be_bundle(path.string());
}

std::string name_of_vm(const fs::path& checkpoint) {
  return split_name(checkpoint).vm;
}

std::vector<fs::path> choose_checkpoints(const FolderFiles& files, bool all_snapshots) {
  if (all_snapshots) return files.checkpoints;
  std::map<std::string, Paths> by_vm;
  for (const fs::path& path : files.checkpoints) by_vm[split_name(path).vm].push_back(path);
  Paths chosen;
  for (const auto& [vm, checkpoints] : by_vm) {
    chosen.push_back(current_of(checkpoints, files));
  }
  return chosen;
}

std::vector<fs::path> lone_memories(const FolderFiles& files) {
  std::set<std::string> names;
  for (const fs::path& memory : files.memories) names.insert(name_without_endings(memory));
  std::set<std::string> exact;
  std::set<std::string> similar;
  for (const fs::path& checkpoint : files.checkpoints) {
    const std::string name = name_without_endings(checkpoint);
    names.contains(name) ? exact.insert(name) : similar.insert(shared_name(checkpoint));
  }
  Paths lone = files.memories;
  std::erase_if(lone, [&](const fs::path& memory) {
    return exact.contains(name_without_endings(memory)) || similar.contains(shared_name(memory));
  });
  return lone;
}

}  // namespace photon_dmesg
