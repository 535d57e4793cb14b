#pragma once

#include "base/budget.h"
#include "kernel/arch/architecture.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg::aarch64 {

// Architecture::image_range(). The image's place follows from nothing but the tables: they are a
// part of the image that they map, and all of it is moved by the same distance. RAM is mapped once
// more, also by one distance, but nothing in that mapping can be executed.
[[nodiscard]] Architecture::Range image_range(const PageTables& tables, Budget& pages);

}  // namespace photon_dmesg::aarch64
