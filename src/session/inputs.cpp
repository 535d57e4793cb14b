#include "session/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/file_stream.h"
#include "base/gzip_file.h"
#include "base/gzip_stream.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/packed_memory.h"
#include "checkpoint/vmware/vmware_format.h"
#include "session/other_files.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

using Source = std::shared_ptr<const ByteSource>;

// The least that a Linux guest can have, and what its memory is a multiple of.
constexpr std::uint64_t smallest_memory = 4 * 1024 * 1024;

std::string first_word(const ByteSource& file) {
  return file.contains(0, 4) ? fmt::format("{:#x}", ByteReader(file).u32("the first word"))
                             : fmt::format("{} bytes", file.size());
}

Error unrecognised(const ByteSource& file) {
  return unusable(
      fmt::format("{} (begins with {}): expected a checkpoint (.vmss or .vmsn, magic such as "
                  "{:#x}), a guest's memory, or an ISO, RPM, vmlinux or System.map, found none",
                  file.name(), first_word(file), vmware::magics.front().value));
}

Error not_this(const fs::path& path, const OtherFile& other, std::string_view packed = {}) {
  return unusable(
      fmt::format("{}: this is {}{}: {}", path.string(), other.what, packed, other.advice));
}

// What can be read once only.
SymbolInput open_pipe(const fs::path& path) {
  constexpr std::size_t marked_bytes = 64 * 1024;  // where every kind has its mark
  SymbolInput input;
  input.path = path;
  input.pipe = std::make_unique<PipeStream>(path);
  const BufferSource first(input.name(), input.pipe->peek(marked_bytes));
  const std::optional<SymbolKind> kind = identify_symbols(first);
  if (!kind || !holds_packages(*kind)) {
    throw unusable(
        fmt::format("{}: expected an ISO or a package, as everything else must be a file that can "
                    "be read at any place",
                    input.name()));
  }
  input.kind = *kind;
  return input;
}

// What a file packed with gzip begins with when unpacked.
std::vector<std::byte> peek_unpacked(const ByteSource& packed) {
  constexpr std::size_t wanted = 64 * 1024;
  std::vector<std::byte> begin;
  FileStream input(packed);
  GzipStream stream(input);
  for (auto bytes = stream.next(); !bytes.empty() && begin.size() < wanted; bytes = stream.next()) {
    begin.insert(begin.end(), bytes.begin(), bytes.end());
  }
  return begin;
}

// Refuses, before all of it is unpacked, a packed file that would then be of no use.
void check_packed(const ByteSource& packed, const fs::path& path) {
  const std::vector<std::byte> bytes = peek_unpacked(packed);
  const BufferSource begin(packed.name(), bytes);
  const std::optional<SymbolKind> kind = identify_symbols(begin);
  if (kind == SymbolKind::SystemMap || kind == SymbolKind::Profile) return;
  if (kind) {
    throw unusable(fmt::format("{}: this is {} packed with gzip: unpack it first (gzip -d)",
                               path.string(), name_of(*kind)));
  }
  const auto other = identify_other(begin, path.stem());
  if (other) throw not_this(path, *other, ", packed with gzip");
}

class Sorter {
 public:
  Sorter(bool strict, Diagnostics& diagnostics) : strict_(strict), diagnostics_(diagnostics) {}

  void add(const fs::path& path) {
    try {
      if (is_pipe(path)) {
        inputs_.symbols.push_back(open_pipe(path));
      } else if (std::error_code ignored; fs::is_directory(path, ignored)) {
        folders_.push_back(path);
      } else if (is_vm_configuration(path)) {
        add_configuration(path);
      } else {
        add_file(path);
      }
    } catch (const Error& error) {
      if (strict_ || error.failure() == Failure::Usage) throw;
      unusable_.push_back(error);
    }
  }

  Inputs finish() {
    for (const fs::path& folder : folders_) use_folder(folder);
    choose_guest();
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
    if (InputFile(path).size() == 0) throw unusable(path.string() + ": the file is empty");
    configurations_.push_back(path);
  }

  void add_file(const fs::path& path) {
    if (is_known(path)) return;
    paths_.push_back(path);
    Source file = std::make_shared<InputFile>(path);
    if (file->size() == 0) throw unusable(fmt::format("{}: the file is empty", file->name()));
    if (is_gzip_file(*file)) {
      check_packed(*file, path);
      file = open_guest_file(path, diagnostics_);
    }
    if (const auto kind = identify_symbols(*file)) {
      inputs_.symbols.push_back({*kind, path, std::move(file), nullptr});
      return;
    }
    const GuestFileKind kind = identify_guest_file(*file);
    if (kind != GuestFileKind::Unmarked) {
      guests_.push_back({kind, std::move(file), path});
    } else if (const auto other = identify_other(*file, path)) {
      if (!other->is_of_vm) throw not_this(path, *other);
      beside_.push_back(not_this(path, *other));
    } else if (may_be_memory(*file, path)) {
      memories_.push_back({kind, std::move(file), path});
    } else {
      throw unrecognised(*file);
    }
  }

  // Named twice, or found in a folder as well.
  [[nodiscard]] bool is_known(const fs::path& path) const {
    return std::any_of(paths_.begin(), paths_.end(), [&](const fs::path& other) {
      std::error_code ignored;
      return fs::equivalent(path, other, ignored);
    });
  }

  // A folder is a VM's if nothing else that was named is of a guest; it may hold symbols as well.
  void use_folder(const fs::path& path) {
    const VmFolder found = list_vm_folder(path);
    if (guests_.empty() && memories_.empty() && configurations_.empty()) {
      if (const auto checkpoint = choose_checkpoint(found, std::nullopt)) {
        diagnostics_.found(
            {.what = "checkpoint", .value = checkpoint->string(), .where = path.string()});
        add(*checkpoint);
      }
    }
    if (!found.checkpoints.empty() && !holds_symbols(path)) return;
    SymbolInput input;
    input.kind = SymbolKind::Folder;
    input.path = path;
    inputs_.symbols.push_back(std::move(input));
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
      const fs::path folder = vmx.has_parent_path() ? vmx.parent_path() : fs::path(".");
      if (!memories_.empty()) {
        add_if_sure(folder, vmx);
      } else if (const auto checkpoint = choose_checkpoint(list_vm_folder(folder), vmx)) {
        add_file(*checkpoint);
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
      if (const auto checkpoint = choose_checkpoint(list_vm_folder(folder), vmx))
        add_file(*checkpoint);
    } catch (const Error& error) {
      if (strict_) throw;
      unusable_.push_back(error);
    }
  }

  const GuestFile& choose_current() {
    if (guests_.size() == 1) return guests_.front();
    std::vector<fs::path> paths;
    for (const GuestFile& guest : guests_) paths.push_back(guest.path);
    std::optional<fs::path> current;
    if (configurations_.size() == 1 && are_beside(paths, configurations_.front())) {
      current = find_current(configurations_.front(), paths);
    }
    const auto chosen = std::find_if(guests_.begin(), guests_.end(),
                                     [&](const GuestFile& guest) { return guest.path == current; });
    if (chosen == guests_.end()) ask_which(paths);
    diagnostics_.found({.what = "current checkpoint",
                        .value = chosen->path.string(),
                        .where = configurations_.front().string()});
    return *chosen;
  }

  // Whether all lie in one folder: a configuration says nothing of another VM's files.
  static bool are_beside(const std::vector<fs::path>& paths, const fs::path& configuration) {
    const auto folder_of = [](const fs::path& path) {
      return path.has_parent_path() ? path.parent_path() : fs::path(".");
    };
    return std::all_of(paths.begin(), paths.end(), [&](const fs::path& path) {
      std::error_code ignored;
      return fs::equivalent(folder_of(path), folder_of(configuration), ignored);
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

  bool strict_;
  Diagnostics& diagnostics_;
  Inputs inputs_;
  std::vector<fs::path> paths_;  // of the files below
  std::vector<GuestFile> guests_;
  std::vector<GuestFile> memories_;
  std::vector<fs::path> configurations_;  // .vmx
  std::vector<fs::path> folders_;
  std::vector<Error> unusable_;
  std::vector<Error> beside_;  // what is no mistake beside a checkpoint
};

}  // namespace

// A copy that was cut short has any size, and is known by its name.
bool may_be_memory(const ByteSource& file, const fs::path& path) {
  return has_ending(path, ".vmem") || is_packed_memory(file) ||
         (file.size() >= smallest_memory && file.size() % vmware::page_bytes == 0);
}

Inputs sort_inputs(const std::vector<fs::path>& files, bool strict, Diagnostics& diagnostics) {
  Sorter sorter(strict, diagnostics);
  for (const fs::path& path : files) sorter.add(path);
  return sorter.finish();
}

}  // namespace photon_dmesg
