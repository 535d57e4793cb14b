#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/diagnostics.h"
#include "report/redactor.h"
#include "session/bundle_tree.h"
#include "session/guest.h"
#include "session/guest_groups.h"
#include "session/options.h"

// Which names --redact has to know before anything is printed.
namespace photon_dmesg {

// Teaches `redactor` the names of the virtual machines whose checkpoints are among `files` or lie
// in their folders: all that is known where a guest can't be opened.
void learn_machines(const std::vector<std::filesystem::path>& files, Redactor& redactor);

// The same of the hosts that the guest's log introduces, as far as it can be read: its records, and
// text that is none yet.
void learn_hosts(const Guest& guest, Redactor& redactor);

// The same of all of several guests, each of which another may name: what they and their machines
// are called, and the hosts that their logs and what they sent to their hosts introduce. Opens one
// after the other, in silence: what can't be opened whoever prints it says. `tree` is the one that
// they were grouped with.
void learn_guests(const GuestGroups& groups, const std::shared_ptr<BundleTree>& tree,
                  const session::Options& options, Redactor& redactor);

// Says that the redactor was taught more names than it keeps, if so.
void warn_of_missed_names(const Redactor& redactor, Diagnostics& diagnostics);

}  // namespace photon_dmesg
