#pragma once

#include <string_view>

#include "triage/finding.h"

namespace photon_dmesg {

// Whether a function may be what an event of this kind is about: not one that is at work to report
// it, nor a helper that is called from everywhere, nor one by which tasks wait.
[[nodiscard]] bool matters(std::string_view symbol, FindingKind kind);

}  // namespace photon_dmesg
