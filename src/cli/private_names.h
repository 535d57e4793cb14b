#pragma once

#include <filesystem>
#include <vector>

#include "report/redactor.h"
#include "session/guest.h"

// Which names --redact has to know before anything is printed.
namespace photon_dmesg {

// Teaches `redactor` the names of the virtual machines whose checkpoints are among `files` or lie
// in their folders: all that is known where a guest can't be opened.
void learn_machines(const std::vector<std::filesystem::path>& files, Redactor& redactor);

// The same of the hosts that the guest's log introduces, as far as it can be read.
void learn_hosts(const Guest& guest, Redactor& redactor);

}  // namespace photon_dmesg
