#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "kernel/waits/activity.h"

namespace photon_dmesg {

// Finds the tasks that wait for each other in a circle, a deadlock, by the owners of what they wait
// for that are certain, and notes the circle in what each of its members waits for. `activities`:
// of all tasks. Circles that are longer, or more, than those of a sound guest are left out, and
// that is said.
void find_cycles(std::vector<TaskActivity>& activities, Diagnostics& diagnostics);

}  // namespace photon_dmesg
