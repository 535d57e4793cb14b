#include "batch/find_tickets.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "batch/folder_files.h"
#include "checkpoint/vmware/host_log.h"
#include "session/bundle_tree.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

using Paths = std::vector<fs::path>;

// "1234-web" for 1234/web/web.vmss: the way to the file, without what is said twice.
std::string name_by(const fs::path& way) {
  std::string name;
  fs::path last;
  for (fs::path part : way) {
    if (part == way.filename()) part = part.stem();
    if (part == last || part == "." || part == ".." || part == "/") continue;
    name += (name.empty() ? "" : "-") + part.string();
    last = part;
  }
  return name;
}

// Of a file that was found below `root`, or that was named itself if that is empty.
std::string name_of_ticket(const fs::path& file, const fs::path& root) {
  const fs::path parent = file.parent_path();
  const bool is_deep = !root.empty() && parent != root;
  if (is_deep) return name_by(file.lexically_relative(root));
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(parent.empty() ? "." : parent, ignored).filename();
  const bool has_folder = !parent.empty() && parent != "." && !folder.empty();
  return name_by(has_folder ? folder / file.filename() : file.filename());
}

// Where `path` leads, however it is written.
fs::path whole_path(const fs::path& path) {
  std::error_code error;
  fs::path whole = fs::weakly_canonical(path, error);
  return error ? path.lexically_normal() : whole;
}

// Where a file lies. A link is another file than what it leads to: others may lie beside it.
fs::path place_of(const fs::path& file) {
  return whole_path(folder_of(file)) / file.filename();
}

// The checkpoint that is read where the configuration `vmx` is named; nothing if that can't be
// told.
std::optional<fs::path> checkpoint_of(const fs::path& vmx) {
  const Paths checkpoints = list_vm_folder(disk_tree(), folder_of(vmx)).checkpoints;
  const auto current = find_current(disk_tree(), vmx, checkpoints);
  return current || checkpoints.size() != 1 ? current : checkpoints.front();
}

// One that can't be read may: whoever reads it says why.
bool tells_of_guest(const FileTree& tree, const fs::path& host_log) {
  try {
    SilentDiagnostics silent;
    return has_lines_of_guest(*tree.open(host_log, silent));
  } catch (const Error&) {
    return true;
  }
}

// How a folder is looked through.
struct Look {
  bool all_snapshots = false;
  bool is_named = false;  // its files were named, so that somebody wants to hear of each
};

// The files that stand for one guest each.
struct Guests {
  Paths paths;
  std::uint64_t passed_over = 0;  // checkpoints that are not the current ones
};

void append(Paths& all, const Paths& more) {
  all.insert(all.end(), more.begin(), more.end());
}

void append(Guests& all, const Guests& more) {
  append(all.paths, more.paths);
  all.passed_over += more.passed_over;
}

// Where a guest left nothing else, what it sent to its host.
Paths telling_logs(const FolderFiles& files, const Look& look) {
  Paths logs = files.host_logs;
  if (look.is_named) return logs;
  std::erase_if(logs, [&](const fs::path& log) { return !tells_of_guest(*files.tree, log); });
  return logs;
}

// The configurations that may be of others than `guests`: not those that are called as one of
// these, and don't say which checkpoint they mean.
Paths other_configurations(const FolderFiles& files, const Paths& guests) {
  Paths configurations = files.configurations;
  std::erase_if(configurations, [&](const fs::path& vmx) {
    const auto is_its = [&](const fs::path& guest) { return name_of_vm(guest) == vmx.stem(); };
    return std::any_of(guests.begin(), guests.end(), is_its) && !checkpoint_of(vmx);
  });
  return configurations;
}

// Those in the files of one folder, but for what is in bundles.
Guests guests_beside(const FolderFiles& files, const Look& look) {
  Guests guests;
  guests.paths = choose_checkpoints(files, look.all_snapshots || look.is_named);
  guests.passed_over = files.checkpoints.size() - guests.paths.size();
  append(guests.paths, lone_memories(files));
  append(guests.paths, files.dumps);
  if (look.is_named) append(guests.paths, other_configurations(files, guests.paths));
  if (guests.paths.empty()) append(guests.paths, telling_logs(files, look));
  append(guests.paths, files.unreadable);
  return guests;
}

// Those in the folders of a bundle that `tree` has entered, as if it were unpacked.
Guests guests_in_folders(const BundleTree& tree, const fs::path& bundle, bool all_snapshots) {
  std::map<fs::path, FolderFiles> folders;
  Paths members = tree.files_below(bundle);
  append(members, tree.links_below(bundle));
  for (const fs::path& member : members) folders[member.parent_path()].add_bundled(tree, member);
  Guests guests;
  for (const auto& [folder, files] : folders) append(guests, guests_beside(files, {all_snapshots}));
  return guests;
}

// The guests in a bundle, as paths through it; the bundle itself if it can't be read, or none is in
// what can be read of it: whoever reads it says why. So if it was named and holds none.
Guests guests_in_bundle(const fs::path& bundle, const Look& look, Diagnostics& diagnostics) {
  CollectedDiagnostics losses;  // they are said of the ticket
  BundleTree tree(ReadAhead::SmallFiles);
  diagnostics.progress({fmt::format("looking for tickets in {}", bundle.string())});
  try {
    tree.enter(bundle, losses);
    Guests guests = guests_in_folders(tree, bundle, look.all_snapshots);
    for (const fs::path& deep : tree.too_deep(bundle)) {
      diagnostics.warn(
          fmt::format("{}: no tickets are looked for in this bundle in a bundle in a "
                      "bundle: unpack the outermost one",
                      deep.string()));
    }
    const bool is_whole = losses.warnings().empty();
    if (!guests.paths.empty() || (is_whole && !look.is_named)) return guests;
  } catch (const Error& error) {
    losses.found({.what = error.what()});
  }
  return {.paths = {bundle}};
}

Guests guests_in(const FolderFiles& files, const Look& look, Diagnostics& diagnostics) {
  Guests guests = guests_beside(files, look);
  for (const fs::path& bundle : files.bundles) {
    append(guests, guests_in_bundle(bundle, look, diagnostics));
  }
  return guests;
}

struct Entry {
  fs::path path;
  fs::file_type type;  // of a link itself
};

// What lies in `folder`, in the order of its names, as far as it can be read; warns if it can't.
std::vector<Entry> entries_of(const fs::path& folder, Diagnostics& diagnostics) {
  std::vector<Entry> entries;
  std::error_code failure;
  std::error_code hidden;  // who may list a folder may not see what it lists
  fs::directory_iterator entry(folder, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code error;
    entries.push_back({entry->path(), fs::symlink_status(entry->path(), error).type()});
    if (entries.back().type == fs::file_type::none) hidden = error;
  }
  if (failure || hidden) {
    diagnostics.warn_of_lack(
        fmt::format("{}: no tickets are looked for in this folder, as it "
                    "can't be read: {}",
                    folder.string(), (failure ? failure : hidden).message()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& left, const Entry& right) { return left.path < right.path; });
  return entries;
}

// Whether `entry` may be a file of a guest's, also by a link, which may lead to where the file no
// longer is, or can't be seen.
bool may_be_evidence(const Entry& entry) {
  std::error_code ignored;
  if (entry.type != fs::file_type::symlink) return entry.type == fs::file_type::regular;
  if (fs::exists(entry.path, ignored)) return fs::is_regular_file(entry.path, ignored);
  return is_named_as_evidence(entry.path);
}

}  // namespace

void TicketFinder::add(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    add_tree(path.has_filename() ? path : path.parent_path());
  } else if (fs::exists(path, ignored)) {
    Paths& named = named_[whole_path(folder_of(path))];
    const auto is_same = [&](const fs::path& other) { return other.filename() == path.filename(); };
    if (std::none_of(named.begin(), named.end(), is_same)) named.push_back(path);
  } else {
    add_guest(path, {}, {});
  }
}

void TicketFinder::add_guest(const fs::path& guest, const fs::path& root, const Paths& symbols) {
  const auto checkpoint = is_vm_configuration(guest) ? checkpoint_of(guest) : std::nullopt;
  if (!guests_.insert(place_of(checkpoint.value_or(guest))).second) return;
  Ticket ticket{name_of_ticket(guest, root), {guest}};
  ticket.files.insert(ticket.files.end(), symbols.begin(), symbols.end());
  tickets_.push_back(std::move(ticket));
}

void TicketFinder::add_named() {
  for (const auto& [folder, paths] : named_) {
    FolderFiles files;
    for (const fs::path& path : paths) files.add(path);
    const Guests guests = guests_in(files, {options_.all_snapshots, true}, diagnostics_);
    passed_over_ += guests.passed_over;
    for (const fs::path& guest : guests.paths) add_guest(guest, {}, {});
    // Whoever names a file wants to hear of it.
    for (const fs::path& other : files.others) add_guest(other, {}, {});
    symbols_.insert(symbols_.end(), files.symbols.begin(), files.symbols.end());
  }
}

std::vector<Ticket> TicketFinder::finish() {
  add_named();
  if (passed_over_ > 0) {
    diagnostics_.warn(
        fmt::format("checkpoints that are not the current ones of their virtual machines are "
                    "passed over: {}; --all-snapshots does these too",
                    passed_over_));
  }
  return std::move(tickets_);
}

bool TicketFinder::is_results(const fs::path& folder) const {
  std::error_code ignored;
  return fs::equivalent(folder, options_.results, ignored);
}

// Folders by links are not entered: they may lead round.
void TicketFinder::add_tree(const fs::path& root) {
  Paths folders = {root};
  while (!folders.empty()) {
    const fs::path folder = std::move(folders.back());
    folders.pop_back();
    if (is_results(folder) || !folders_.insert(whole_path(folder)).second) continue;
    Paths files;
    Paths inner;
    for (const Entry& entry : entries_of(folder, diagnostics_)) {
      if (entry.type == fs::file_type::directory) inner.push_back(entry.path);
      if (may_be_evidence(entry)) files.push_back(entry.path);
    }
    add_folder(files, root);
    folders.insert(folders.end(), inner.rbegin(), inner.rend());
  }
}

void TicketFinder::add_folder(const std::vector<fs::path>& paths, const fs::path& root) {
  FolderFiles files;
  for (const fs::path& path : paths) {
    files.add(path);
    diagnostics_.progress({fmt::format("looking for tickets: {} files", ++files_)});
  }
  const Guests guests = guests_in(files, {options_.all_snapshots, false}, diagnostics_);
  passed_over_ += guests.passed_over;
  for (const fs::path& guest : guests.paths) add_guest(guest, root, files.symbols);
}

}  // namespace photon_dmesg
