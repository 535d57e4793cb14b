#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "report/triage_timeline.h"

namespace photon_dmesg {

// `timeline` as an inline SVG as wide as what it is in, whose numbers lead to the list of its
// events in the same order, from 1. `density` is how many records there were in each of equal parts
// of the guest's life, or empty. Without colors: those are the style sheet's.
void write_timeline_svg(const Timeline& timeline, const std::vector<std::uint64_t>& density,
                        std::ostream& out);

}  // namespace photon_dmesg
