#pragma once

#include <filesystem>
#include <vector>

#include "batch/ticket.h"
#include "batch/ticket_result.h"

namespace photon_dmesg {

// The folder of all results, one folder in it for each ticket. A ticket's is written under another
// name, and appears under its own when it is whole. Several processes, also on several machines,
// may write to one folder of results, different tickets each.

// Refuses, before anything is read, what would be harmed: a file, a folder in `results` that has a
// ticket's name and was not written by this program, or that holds evidence, whatever it says of
// itself: files of `tickets`, at any depth, or what VMware names so. Throws Error(Usage).
void check_results(const std::filesystem::path& results, const std::vector<Ticket>& tickets);

// Where `ticket` of `results` is written meanwhile, by this process; it is made, and empty. Throws
// Error(Incomplete) if it can't be.
[[nodiscard]] std::filesystem::path begin_result(const std::filesystem::path& results,
                                                 const std::string& ticket);

// What has become of a result.
enum class Finished { Replaced, EarlierKept };

// Lists what has been written to `unfinished` in `result`, adds it there, and gives the folder its
// name. If the ticket could not be read and an earlier run has read it, that result stays, and
// `result` becomes it: with a warning that says why, status 1, and no key, by which it would count
// as done. Of an earlier result in its place, files that others have put there stay, and so does
// what was read. Throws Error(Incomplete); also for a file that is in the way and that no earlier
// result lists, which is found before anything there is changed. Error(Usage) for one that was
// read.
Finished finish_result(const std::filesystem::path& unfinished,
                       const std::filesystem::path& results, TicketResult& result);

// Removes what `process` has left unfinished of `ticket`.
void discard_result(const std::filesystem::path& results, const std::string& ticket, int process);

// Removes what processes of this machine have left unfinished in `results` and that are no more.
void remove_abandoned(const std::filesystem::path& results);

// Whether what `result` says lies beside it in `folder`, unchanged.
[[nodiscard]] bool is_whole(const std::filesystem::path& folder, const TicketResult& result);

}  // namespace photon_dmesg
