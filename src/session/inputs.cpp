#include "session/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "checkpoint/vmware/companion_file.h"
#include "session/bundled_guests.h"
#include "session/input_roles.h"
#include "session/other_files.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

using Source = std::shared_ptr<const ByteSource>;

class Sorter {
 public:
  Sorter(std::shared_ptr<BundleTree> tree, bool strict, Diagnostics& diagnostics)
      : tree_(std::move(tree)), strict_(strict), diagnostics_(diagnostics) {
    inputs_.guest.tree = tree_;
  }

  void add(const fs::path& path) {
    try {
      if (is_pipe(path)) {
        inputs_.symbols.push_back(open_pipe(path));
        return;
      }
      tree_->enter(path, diagnostics_);
      if (tree_->is_folder(path)) {
        folders_.push_back(path);
      } else if (is_vm_configuration(path)) {
        add_configuration(path);
      } else {
        add_file(path);
      }
    } catch (const Error& error) {
      if (strict_ || error.failure() == Failure::Usage) throw;
      unusable_.push_back(error);
      if (is_named_as_checkpoint(path) && is_there(path)) lost_checkpoints_.push_back(path);
    }
  }

  Inputs finish() {
    for (const fs::path& folder : folders_) {
      tree_->is_bundled(folder) ? use_bundle(folder) : use_folder(folder);
    }
    choose_guest();
    if (guests_.empty() && memories_.empty()) add_memory_of_lost_checkpoints();
    choose_memory();
    if (inputs_.guest.empty() && !unusable_.empty()) throw Error(unusable_.front());
    if (inputs_.guest.empty() && !beside_.empty()) throw Error(beside_.front());
    for (const Error& error : unusable_) {
      diagnostics_.warn_of_lack(fmt::format("not used: {}", error.what()));
    }
    return std::move(inputs_);
  }

 private:
  struct GuestFile {
    GuestFileKind kind;
    Source file;
    fs::path path;
  };

  // A VM's configuration, which stands for its current checkpoint unless others are named.
  void add_configuration(const fs::path& path) {
    if (tree_->open(path, diagnostics_)->size() == 0) {
      throw unusable(path.string() + ": the file is empty");
    }
    configurations_.push_back(path);
  }

  void add_file(const fs::path& path) {
    if (is_known(path)) return;
    paths_.push_back(path);
    InputRole role = find_role(*tree_, path, diagnostics_);
    if (role.symbols) {
      inputs_.symbols.push_back({*role.symbols, path, std::move(role.file), nullptr});
    } else if (role.beside) {
      beside_.push_back(std::move(*role.beside));
    } else if (role.guest == GuestFileKind::Unmarked) {
      memories_.push_back({*role.guest, std::move(role.file), path});
    } else {
      guests_.push_back({*role.guest, std::move(role.file), path});
    }
  }

  [[nodiscard]] bool is_there(const fs::path& path) const {
    const std::vector<fs::path> files = tree_->files(folder_of(path));
    return std::any_of(files.begin(), files.end(),
                       [&](const fs::path& file) { return file.filename() == path.filename(); });
  }

  // Named twice, or found in a folder as well.
  [[nodiscard]] bool is_known(const fs::path& path) const {
    return std::any_of(paths_.begin(), paths_.end(),
                       [&](const fs::path& other) { return tree_->are_same(path, other); });
  }

  // A folder is a VM's if nothing else that was named is of a guest; it may hold symbols as well.
  void use_folder(const fs::path& path) {
    std::error_code error;
    if (fs::directory_iterator(path, error); error) {
      unusable_.push_back(
          unusable(fmt::format("{}: can't be read: {}", path.string(), error.message())));
      return;
    }
    const VmFolder found = list_vm_folder(*tree_, path);
    if (!has_guest()) {
      if (const auto checkpoint = choose_checkpoint(*tree_, found, std::nullopt, diagnostics_)) {
        add_found("checkpoint", *checkpoint, path);
      }
    }
    if (!found.checkpoints.empty() && !holds_symbols(path)) return;
    SymbolInput input;
    input.kind = SymbolKind::Folder;
    input.path = path;
    inputs_.symbols.push_back(std::move(input));
  }

  // A bundle may hold the folders of several VMs.
  void use_bundle(const fs::path& bundle) {
    const bool has_other = has_guest();
    if (!has_other) {
      const BundledGuests found = find_bundled_guests(*tree_, bundle);
      const bool any = !found.checkpoints.empty();
      const std::string_view what = any ? "checkpoint" : "memory";
      const std::vector<fs::path>& guests = any ? found.checkpoints : found.memories;
      if (guests.size() > 1) ask_which(*tree_, what, guests);
      if (guests.empty()) beside_.push_back(nothing_in(bundle));
      for (const fs::path& file : guests) add_found(what, file, bundle);
    }
    const std::size_t symbols = inputs_.symbols.size();
    for (const fs::path& file : tree_->files_below(bundle)) {
      if (file.filename().string().starts_with("System.map")) add(file);
    }
    if (has_other && inputs_.symbols.size() == symbols) unusable_.push_back(unused_bundle(bundle));
  }

  // What a bundle that was named beside a guest is not used for.
  [[nodiscard]] Error unused_bundle(const fs::path& bundle) const {
    BundledGuests found = find_bundled_guests(*tree_, bundle);
    std::vector<fs::path>& guests = found.checkpoints.empty() ? found.memories : found.checkpoints;
    std::erase_if(guests, [&](const fs::path& path) { return is_known(path); });
    if (guests.empty()) {
      return unusable(fmt::format(
          "{}: expected a System.map in this bundle, beside the guest that was named, found none",
          bundle.string()));
    }
    return unusable(
        fmt::format("{}: expected one guest, found another in this bundle ({}), which "
                    "is not read: name the one to read",
                    bundle.string(), guests.front().string()));
  }

  [[nodiscard]] Error nothing_in(const fs::path& bundle) const {
    const std::vector<fs::path> deep = tree_->too_deep(bundle);
    return unusable(fmt::format(
        "{}: expected a checkpoint (.vmss or .vmsn) or memory (.vmem) in this bundle, found {}: "
        "name "
        "the file in it that is meant, as if the bundle were a folder, or unpack it",
        bundle.string(),
        deep.empty() ? "none"
                     : fmt::format("a bundle in a bundle ({}), which is not looked into",
                                   deep.front().string())));
  }

  // Whether anything of a guest was named, or found.
  [[nodiscard]] bool has_guest() const {
    return !guests_.empty() || !memories_.empty() || !configurations_.empty();
  }

  void add_found(std::string_view what, const fs::path& path, const fs::path& folder) {
    diagnostics_.found(
        {.what = std::string(what), .value = path.string(), .where = folder.string()});
    add(path);
  }

  // The checkpoint that is read: the only one, or the one that is the VM's current one.
  void choose_guest() {
    if (guests_.empty()) add_checkpoint_of_configuration();
    if (guests_.empty()) return;
    const bool parts = std::all_of(guests_.begin(), guests_.end(), [](const GuestFile& guest) {
      return guest.kind == GuestFileKind::Kdump;
    });
    const GuestFile* chosen = parts ? &guests_.front() : &choose_current();
    inputs_.guest.kind = chosen->kind;
    for (const GuestFile& guest : guests_) {
      if (parts || &guest == chosen) inputs_.guest.state.push_back(guest.file);
    }
  }

  void add_checkpoint_of_configuration() {
    for (const fs::path& vmx : configurations_) {
      const fs::path folder = folder_of(vmx);
      if (!memories_.empty()) {
        add_if_sure(folder, vmx);
      } else if (const auto checkpoint =
                     choose_checkpoint(*tree_, list_vm_folder(*tree_, folder), vmx, diagnostics_)) {
        add(*checkpoint);
      } else {
        throw unusable(fmt::format(
            "{}: there is no checkpoint (.vmss or .vmsn) beside it: suspend the VM, or take a "
            "snapshot that includes its memory",
            vmx.string()));
      }
    }
  }

  // Memory that was named can be read without a checkpoint.
  void add_if_sure(const fs::path& folder, const fs::path& vmx) {
    try {
      if (const auto checkpoint =
              choose_checkpoint(*tree_, list_vm_folder(*tree_, folder), vmx, diagnostics_))
        add_file(*checkpoint);
    } catch (const Error& error) {
      if (strict_) throw;
      unusable_.push_back(error);
    }
  }

  // A checkpoint that is of no use still tells by its name which memory is meant.
  void add_memory_of_lost_checkpoints() {
    for (const fs::path& checkpoint : lost_checkpoints_) {
      if (const auto memory = find_companion(*tree_, checkpoint, {"vmem"})) {
        add_found("memory", *memory, checkpoint);
      }
    }
  }

  const GuestFile& choose_current() {
    if (guests_.size() == 1) return guests_.front();
    std::vector<fs::path> paths;
    for (const GuestFile& guest : guests_) paths.push_back(guest.path);
    std::optional<fs::path> current;
    if (configurations_.size() == 1 && are_beside(paths, configurations_.front())) {
      current = find_current(*tree_, configurations_.front(), paths);
    }
    const auto chosen = std::find_if(guests_.begin(), guests_.end(),
                                     [&](const GuestFile& guest) { return guest.path == current; });
    if (chosen == guests_.end()) ask_which(*tree_, "checkpoint", paths);
    diagnostics_.found({.what = "current checkpoint",
                        .value = chosen->path.string(),
                        .where = configurations_.front().string()});
    return *chosen;
  }

  // Whether all lie in one folder: a configuration says nothing of another VM's files.
  [[nodiscard]] bool are_beside(const std::vector<fs::path>& paths,
                                const fs::path& configuration) const {
    return std::all_of(paths.begin(), paths.end(), [&](const fs::path& path) {
      return tree_->are_same(folder_of(path), folder_of(configuration));
    });
  }

  // Memory with the checkpoint's name comes first; that with another checkpoint's name is not it.
  void choose_memory() {
    std::stable_sort(memories_.begin(), memories_.end(),
                     [&](const GuestFile& left, const GuestFile& right) {
                       return is_of_chosen(left) && !is_of_chosen(right);
                     });
    if (inputs_.guest.state.empty() && memories_.size() > 1) {
      throw unusable(
          fmt::format("{} and {}: expected a checkpoint (.vmss or .vmsn) that says which "
                      "memory is its own, found none",
                      memories_[0].path.string(), memories_[1].path.string()));
    }
    for (const GuestFile& memory : memories_) {
      if (!inputs_.guest.memory) {
        inputs_.guest.memory = memory.file;
      } else if (!is_of_another(memory)) {
        inputs_.other_memories.push_back(memory.file);
      }
    }
    // What is wrong with the checkpoint beside it has been said.
    inputs_.guest.is_alone = inputs_.guest.state.empty() && is_of_lost_checkpoint();
  }

  [[nodiscard]] bool is_of_lost_checkpoint() const {
    return std::any_of(lost_checkpoints_.begin(), lost_checkpoints_.end(),
                       [&](const fs::path& checkpoint) {
                         const auto& memory = inputs_.guest.memory;
                         return memory && shared_name(memory->name()) == shared_name(checkpoint);
                       });
  }

  [[nodiscard]] bool is_of_chosen(const GuestFile& memory) const {
    return !inputs_.guest.state.empty() &&
           shared_name(memory.path) == shared_name(inputs_.guest.state.front()->name());
  }
  [[nodiscard]] bool is_of_another(const GuestFile& memory) const {
    return std::any_of(guests_.begin(), guests_.end(), [&](const GuestFile& guest) {
      return shared_name(guest.path) == shared_name(memory.path);
    });
  }

  static bool holds_symbols(const fs::path& folder) {
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                           error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (has_ending(entry->path(), ".rpm") || has_ending(entry->path(), ".iso")) return true;
    }
    return false;
  }

  std::shared_ptr<BundleTree> tree_;
  bool strict_;
  Diagnostics& diagnostics_;
  Inputs inputs_;
  std::vector<fs::path> paths_;  // of the files below
  std::vector<GuestFile> guests_;
  std::vector<GuestFile> memories_;
  std::vector<fs::path> configurations_;  // .vmx
  std::vector<fs::path> folders_;
  std::vector<Error> unusable_;
  std::vector<fs::path> lost_checkpoints_;  // called so, and of no use
  std::vector<Error> beside_;               // what is no mistake beside a checkpoint
};

}  // namespace

Inputs sort_inputs(const std::vector<fs::path>& files, std::shared_ptr<BundleTree> tree,
                   bool strict, Diagnostics& diagnostics) {
  Sorter sorter(std::move(tree), strict, diagnostics);
  for (const fs::path& path : files) sorter.add(path);
  return sorter.finish();
}

Inputs sort_inputs(const std::vector<fs::path>& files, bool strict, Diagnostics& diagnostics) {
  return sort_inputs(files, std::make_shared<BundleTree>(), strict, diagnostics);
}

}  // namespace photon_dmesg
