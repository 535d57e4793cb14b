#include "batch/find_tickets.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/input_file.h"
#include "batch/folder_files.h"
#include "checkpoint/vmware/host_log.h"
#include "session/bundle_tree.h"
#include "session/bundled_guests.h"

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

bool tells_of_guest(const fs::path& host_log) {
  try {
    return has_lines_of_guest(InputFile(host_log));
  } catch (const Error&) {
    return false;
  }
}

// How a folder is looked through.
struct Look {
  bool all_snapshots = false;
  bool is_named = false;  // its files were named, so that somebody wants to hear of each
};

// The guests in a bundle, as paths through it; the bundle itself if it can't be read: whoever reads
// it says why. So if it was named and holds none.
Paths guests_in_bundle(const fs::path& bundle, const Look& look, Diagnostics& diagnostics) {
  SilentDiagnostics silent;  // what is damaged is said of the ticket
  BundleTree tree(ReadAhead::SmallFiles);
  diagnostics.progress({fmt::format("looking for tickets in {}", bundle.string())});
  try {
    Paths guests = list_checkpoints_in_bundle(
        bundle, look.all_snapshots ? Snapshots::All : Snapshots::Current, tree, silent);
    if (!guests.empty() || !look.is_named) return guests;
  } catch (const Error& error) {
    silent.found({.what = error.what()});
  }
  return {bundle};
}

void append(Paths& all, const Paths& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// Where a guest left nothing else, what it sent to its host.
Paths telling_logs(const FolderFiles& files, const Look& look) {
  Paths logs = files.host_logs;
  if (!look.is_named) std::erase_if(logs, [](const fs::path& log) { return !tells_of_guest(log); });
  return logs;
}

// The files that stand for one guest each.
Paths guests_in(const FolderFiles& files, const Look& look, Diagnostics& diagnostics) {
  Paths guests = choose_checkpoints(files, look.all_snapshots || look.is_named);
  append(guests, lone_memories(files));
  append(guests, files.dumps);
  if (guests.empty() && look.is_named) append(guests, files.configurations);
  if (guests.empty()) append(guests, telling_logs(files, look));
  for (const fs::path& bundle : files.bundles) {
    append(guests, guests_in_bundle(bundle, look, diagnostics));
  }
  return guests;
}

// What lies in `folder`, in the order of its names. Empty if it can't be read.
Paths entries_of(const fs::path& folder) {
  Paths entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

void TicketFinder::add(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    add_tree(path.has_filename() ? path : path.parent_path());
  } else if (fs::exists(path, ignored)) {
    Paths& named = named_[path.parent_path()];
    if (std::find(named.begin(), named.end(), path) == named.end()) named.push_back(path);
  } else {
    tickets_.push_back({name_of_ticket(path, {}), {path}});
  }
}

void TicketFinder::add_named() {
  for (const auto& [folder, paths] : named_) {
    FolderFiles files;
    for (const fs::path& path : paths) files.add(path);
    for (const fs::path& guest : guests_in(files, {options_.all_snapshots, true}, diagnostics_)) {
      tickets_.push_back({name_of_ticket(guest, {}), {guest}});
    }
    // Whoever names a file wants to hear of it.
    for (const fs::path& other : files.others) {
      tickets_.push_back({name_of_ticket(other, {}), {other}});
    }
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
    if (is_results(folder)) continue;
    const Paths entries = entries_of(folder);
    add_folder(entries, root);
    Paths inner;
    for (const fs::path& entry : entries) {
      std::error_code ignored;
      if (fs::is_directory(fs::symlink_status(entry, ignored))) inner.push_back(entry);
    }
    folders.insert(folders.end(), inner.rbegin(), inner.rend());
  }
}

void TicketFinder::add_folder(const std::vector<fs::path>& entries, const fs::path& root) {
  FolderFiles files;
  for (const fs::path& entry : entries) {
    std::error_code ignored;
    if (!fs::is_regular_file(entry, ignored)) continue;
    files.add(entry);
    diagnostics_.progress({fmt::format("looking for tickets: {} files", ++files_)});
  }
  passed_over_ +=
      files.checkpoints.size() - choose_checkpoints(files, options_.all_snapshots).size();
  for (const fs::path& guest : guests_in(files, {options_.all_snapshots, false}, diagnostics_)) {
    Ticket ticket{name_of_ticket(guest, root), {guest}};
    ticket.files.insert(ticket.files.end(), files.symbols.begin(), files.symbols.end());
    tickets_.push_back(std::move(ticket));
  }
}

}  // namespace photon_dmesg
