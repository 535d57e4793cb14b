#include "session/guest_groups.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "base/packed_file.h"
#include "base/pipe_stream.h"
#include "checkpoint/guest_files.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/host_log.h"
#include "session/bundled_guests.h"
#include "session/input_roles.h"
#include "session/other_files.h"
#include "session/symbol_kinds.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// What a file is to a group of others.
enum class Role { Guest, PartOfDump, Folder, Configuration, Memory, HostLog, Shared };

bool is_in(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  return fs::equivalent(folder_of(path), folder, ignored);
}

bool are_beside(const fs::path& left, const fs::path& right) {
  return is_in(left, folder_of(right));
}

// A path through a bundle, which has no folders of its own.
bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
             folder.end() &&
         path != folder;
}

Role role_of_bundle(const fs::path& path, const BundleTree& tree) {
  const BundledGuests found = find_bundled_guests(tree, path);
  return found.checkpoints.empty() && found.memories.empty() ? Role::Shared : Role::Folder;
}

Role role_of_folder(const fs::path& path) {
  const VmFolder found = list_vm_folder(disk_tree(), path);
  return found.checkpoints.empty() ? Role::Shared : Role::Folder;
}

// A packed file goes by its name: what is in it is known only when it is unpacked.
Role role_of_packed(const fs::path& path) {
  const fs::path name = path.stem();
  if (has_ending(name, ".vmem")) return Role::Memory;
  return is_named_as_checkpoint(name) ? Role::Guest : Role::Shared;
}

Role role_of_file(const fs::path& path) {
  const InputFile file(path);
  if (packing_of(file)) return role_of_packed(path);
  if (file.size() > 0 && identify_symbols(file)) return Role::Shared;
  const GuestFileKind kind = identify_guest_file(file);
  if (kind == GuestFileKind::Kdump) return Role::PartOfDump;
  // A damaged checkpoint is a guest's all the same.
  if (kind != GuestFileKind::Unmarked || is_named_as_checkpoint(path)) return Role::Guest;
  if (file.size() == 0) return Role::Shared;
  if (is_host_log(file)) return Role::HostLog;
  return !identify_other(file, path) && may_be_memory(file, path) ? Role::Memory : Role::Shared;
}

Role role_of(const fs::path& path, BundleTree& tree, Diagnostics& diagnostics) {
  std::error_code ignored;
  try {
    if (is_pipe(path)) return Role::Shared;
    tree.enter(path, diagnostics);
    if (tree.is_bundled(path) && tree.is_folder(path)) return role_of_bundle(path, tree);
    if (fs::is_directory(path, ignored)) return role_of_folder(path);
    if (is_vm_configuration(path)) return Role::Configuration;
    return role_of_file(path);
  } catch (const Error&) {
    return is_named_as_checkpoint(path) ? Role::Guest : Role::Shared;
  }
}

class Grouper {
 public:
  Grouper(const std::vector<fs::path>& files, BundleTree& tree, Diagnostics& diagnostics) {
    for (const fs::path& file : files) {
      if (is_known(file)) continue;
      files_.push_back({file, role_of(file, tree, diagnostics)});
    }
  }

  GuestGroups group() {
    for (const Named& file : files_) {
      if (file.role == Role::Configuration) add_guest(file.path);
    }
    for (const Named& file : files_) add(file);
    for (const Named& file : files_) {
      if (file.role == Role::Memory) add_memory(file.path);
    }
    for (const Named& file : files_) {
      if (file.role == Role::Folder) add_folder(file.path);
      if (file.role == Role::HostLog) add_host_log(file.path);
    }
    put_in_order();
    return std::move(groups_);
  }

 private:
  struct Named {
    fs::path path;
    Role role;
  };
  using Group = GuestGroups::Group;

  [[nodiscard]] bool is_known(const fs::path& path) const {
    return std::any_of(files_.begin(), files_.end(), [&](const Named& other) {
      std::error_code ignored;
      return fs::equivalent(path, other.path, ignored);
    });
  }

  Group& add_guest(const fs::path& path) {
    groups_.guests.push_back({path.string(), {path}});
    return groups_.guests.back();
  }

  template <typename IsWanted>
  Group* find(const IsWanted& is_wanted) {
    const auto found = std::find_if(groups_.guests.begin(), groups_.guests.end(), is_wanted);
    return found == groups_.guests.end() ? nullptr : &*found;
  }

  void add(const Named& file) {
    if (file.role == Role::Shared) groups_.shared.push_back(file.path);
    if (file.role == Role::PartOfDump) {
      add_part(file.path);
    } else if (file.role == Role::Guest) {
      Group* const configured = find([&](const Group& group) {
        return is_vm_configuration(group.name) && are_beside(group.name, file.path);
      });
      if (configured != nullptr) {
        configured->files.push_back(file.path);
      } else {
        add_guest(file.path);
      }
    }
  }

  // Parts of one dump lie in one folder.
  void add_part(const fs::path& path) {
    const auto dump = std::find_if(dumps_.begin(), dumps_.end(), [&](std::size_t at) {
      return are_beside(groups_.guests[at].name, path);
    });
    if (dump != dumps_.end()) {
      groups_.guests[*dump].files.push_back(path);
    } else {
      dumps_.push_back(groups_.guests.size());
      add_guest(path);
    }
  }

  void add_memory(const fs::path& path) {
    const auto is_named_so = [&](const Group& group) {
      return std::any_of(group.files.begin(), group.files.end(), [&](const fs::path& file) {
        return shared_name(file) == shared_name(path);
      });
    };
    Group* owner = find(
        [&](const Group& group) { return is_named_so(group) && are_beside(group.name, path); });
    if (owner == nullptr) {
      owner = find([&](const Group& group) {
        return is_vm_configuration(group.name) && are_beside(group.name, path);
      });
    }
    if (owner == nullptr) owner = find(is_named_so);
    if (owner == nullptr && groups_.guests.size() == 1) owner = &groups_.guests.front();
    if (owner != nullptr) {
      owner->files.push_back(path);
    } else {
      memories_.push_back(path);
    }
  }

  // A VM's folder beside what was named of it only may hold symbols.
  void add_folder(const fs::path& path) {
    Group* const named = find(
        [&](const Group& group) { return is_in(group.name, path) || is_below(group.name, path); });
    if (named != nullptr) {
      named->files.push_back(path);
    } else {
      add_guest(path);
    }
  }

  void add_host_log(const fs::path& path) {
    Group* const owner = find([&](const Group& group) { return are_beside(group.name, path); });
    if (owner != nullptr) {
      owner->files.push_back(path);
    } else if (groups_.guests.size() == 1) {
      groups_.guests.front().files.push_back(path);
    } else {
      groups_.strange_logs.push_back(path);
    }
  }

  // As their first files were named; memory that is nobody's is a guest by itself.
  void put_in_order() {
    for (const fs::path& memory : memories_) add_guest(memory);
    const auto place_of = [&](const Group& group) {
      return std::find_if(files_.begin(), files_.end(),
                          [&](const Named& file) { return file.path.string() == group.name; });
    };
    std::stable_sort(
        groups_.guests.begin(), groups_.guests.end(),
        [&](const Group& left, const Group& right) { return place_of(left) < place_of(right); });
  }

  std::vector<Named> files_;
  GuestGroups groups_;
  std::vector<std::size_t> dumps_;  // indices of groups_.guests
  std::vector<fs::path> memories_;
};

}  // namespace

GuestGroups group_by_guest(const std::vector<fs::path>& files, BundleTree& tree,
                           Diagnostics& diagnostics) {
  return Grouper(files, tree, diagnostics).group();
}

}  // namespace photon_dmesg
