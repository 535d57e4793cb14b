#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/diagnostics.h"
#include "session/bundle_tree.h"
#include "session/guest.h"
#include "session/guest_groups.h"
#include "session/options.h"

namespace photon_dmesg::session {

// Guests that are opened one after the other, with one pool of symbols for all: a package is
// unpacked once for all guests of its kernel.
class SeveralGuests {
 public:
  // Opens what symbols are found in. What can't be used of that, or is of no guest, is a warning,
  // or, if `options` are strict, the Error that says why. `tree` is the one that they were grouped
  // with.
  SeveralGuests(GuestGroups groups, std::shared_ptr<BundleTree> tree, const Options& options,
                Diagnostics& diagnostics);

  [[nodiscard]] std::size_t size() const { return groups_.guests.size(); }
  // Of the checkpoint, as it was named.
  [[nodiscard]] const std::string& name(std::size_t at) const { return groups_.guests.at(at).name; }
  // All that was named of it.
  [[nodiscard]] const std::vector<std::filesystem::path>& files(std::size_t at) const {
    return groups_.guests.at(at).files;
  }

  // Opens one, which must not outlive this object. Throws Error as session::open() does.
  [[nodiscard]] Guest open(std::size_t at, Diagnostics& diagnostics);

 private:
  GuestGroups groups_;
  Options options_;
  std::shared_ptr<BundleTree> tree_;
  std::shared_ptr<SymbolPool> pool_;
};

}  // namespace photon_dmesg::session
