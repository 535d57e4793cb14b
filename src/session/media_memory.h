#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "base/diagnostics.h"
#include "session/found_package.h"
#include "session/medium_state.h"
#include "session/symbol_candidates.h"

namespace photon_dmesg {

// Which package of a medium had a kernel's symbols, so that a second run with the same medium needs
// to open neither: small files beside the stores of the cache, one for each medium and kernel, for
// their owner alone. Several runs may use them at once: a file appears under its name when it is
// whole.
class MediaMemory {
 public:
  // In `folder`, which is made when something is kept.
  explicit MediaMemory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // What was kept of a medium that is still in `state`, for `wanted`, whose release is known.
  // Nothing if nothing was, or what can't be trusted or is damaged.
  [[nodiscard]] std::optional<FoundPackage> find(const MediumState& state,
                                                 const WantedKernel& wanted) const;

  // Keeps that a medium in `state` gives `package` for `wanted`, whose release is known, in place
  // of what was known of the medium in another state. What can't be written is a note.
  void keep(const MediumState& state, const WantedKernel& wanted, const FoundPackage& package,
            Diagnostics& diagnostics) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const MediumState& state,
                                              const WantedKernel& wanted) const;

  std::filesystem::path folder_;
};

}  // namespace photon_dmesg
