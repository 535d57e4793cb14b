#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "triage/finding.h"

namespace photon_dmesg {

// How photon-dmesg triage reports, and what it fails on.
struct TriageOptions {
  std::vector<FindingKind> fail_on;  // exit status 10 if one of them is found
  bool hash = false;                 // inputs with their SHA-256 in every format that lists them
  bool log_only = false;             // the file is the text of a log
};

void add_triage_options(CLI::App& command, TriageOptions& options);

}  // namespace photon_dmesg
