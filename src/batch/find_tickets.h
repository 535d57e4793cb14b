#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "batch/ticket.h"

namespace photon_dmesg {

// Finds the tickets in what users name. Of each folder, and of those in it, each VM is one: its
// current checkpoint (see folder_files.h), each core and other dump, memory that has no checkpoint,
// and vmware.log where it tells of a guest that left nothing else. So is a file that can't be read
// and may be of a guest: whoever reads it says why. Symbols that lie in the same folder go with
// them. Warns of each folder that can't be read.
class TicketFinder {
 public:
  struct Options {
    bool all_snapshots = false;
    std::filesystem::path results;  // a folder that is not looked into
  };

  explicit TicketFinder(Options options, Diagnostics& diagnostics)
      : options_(std::move(options)), diagnostics_(diagnostics) {}

  // A folder is looked through. Of files, each that stands for a guest is a ticket, also several
  // checkpoints of one VM; memory goes with its checkpoint if that is named too, and a
  // configuration is a ticket if what it leads to is none. What is not there is a ticket, which
  // can't be read. What is named twice, also by other paths or with a folder around it, is one
  // ticket.
  void add(const std::filesystem::path& path);
  void add(Ticket ticket) { tickets_.push_back(std::move(ticket)); }

  // The tickets, in the order of what was named, with names that need not be unique. Warns of how
  // many checkpoints in folders are none. Nothing can be added afterwards.
  [[nodiscard]] std::vector<Ticket> finish();

  // After finish(): files with symbols that were named themselves, which are for all tickets.
  [[nodiscard]] const std::vector<std::filesystem::path>& symbols() const { return symbols_; }

 private:
  void add_tree(const std::filesystem::path& root);
  void add_folder(const std::vector<std::filesystem::path>& paths,
                  const std::filesystem::path& root);
  void add_named();
  void add_guest(const std::filesystem::path& guest, const std::filesystem::path& root,
                 const std::vector<std::filesystem::path>& symbols);
  [[nodiscard]] bool is_results(const std::filesystem::path& folder) const;

  Options options_;
  Diagnostics& diagnostics_;
  std::vector<Ticket> tickets_;
  std::set<std::filesystem::path> guests_;   // where those of `tickets_` lie that were found
  std::set<std::filesystem::path> folders_;  // that were looked through
  // Files that were named, by their folders.
  std::map<std::filesystem::path, std::vector<std::filesystem::path>> named_;
  std::vector<std::filesystem::path> symbols_;
  std::uint64_t files_ = 0;        // seen so far
  std::uint64_t passed_over_ = 0;  // checkpoints that are not the current ones
};

}  // namespace photon_dmesg
