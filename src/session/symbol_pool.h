#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/error.h"
#include "session/options.h"
#include "session/package_media.h"
#include "session/package_search.h"
#include "session/package_use.h"
#include "session/symbol_candidates.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

// What a user has to find kernels' symbols in, opened once and shared by the guests that need it:
// media are listed once, and a kernel's symbols are read once however many guests run it. For one
// thread at a time.
class SymbolPool {
 public:
  // `inputs`: any number; what can't be used of them is known when it is their turn. Behind them
  // comes what `shared` has, if it isn't null.
  SymbolPool(std::vector<SymbolInput> inputs, const session::Options& options,
             std::shared_ptr<SymbolPool> shared = nullptr);

  // Makes it one that is there for many guests: that some of it is of other kernels than a guest's
  // is no news then. Reads and lists now what it would at the first guest; of profiles only what
  // they are of. What can't be used is a warning.
  void share(Diagnostics& diagnostics);

  [[nodiscard]] bool empty() const { return names_.empty() && (!shared_ || shared_->empty()); }

  // Its own inputs that are not read yet, and the names of all for messages.
  [[nodiscard]] const std::vector<SymbolInput>& inputs() const { return inputs_; }
  [[nodiscard]] std::string names() const;

  // Whether a guest whose kernel is of none of them is refused, and not read by its own memory.
  [[nodiscard]] bool is_strict() const { return strict_; }

  // How its packages are used.
  [[nodiscard]] const PackageUse& package_use() const { return use_; }

  // The kernels that its packages say they hold; nothing is unpacked. Throws Error(UnusableInput)
  // if none of the media can be read.
  [[nodiscard]] std::vector<PackagedKernel> kernels(Diagnostics& diagnostics);

  // What may be the symbols of `wanted`. Packages of other releases are passed over by their header
  // alone. The pool and `diagnostics` must outlive what is returned.
  [[nodiscard]] std::unique_ptr<SymbolCandidates> candidates(const WantedKernel& wanted,
                                                             Diagnostics& diagnostics);

 private:
  friend class PooledCandidates;
  friend class UnreadCandidates;

  void read_ahead(Diagnostics& diagnostics);
  void leave_out(const Error& why, Diagnostics& diagnostics);
  [[nodiscard]] std::string names_of(bool (*is_kind)(SymbolKind kind)) const;
  [[nodiscard]] std::string package_names() const;
  [[nodiscard]] std::vector<PackageFile> packages(const WantedKernel& wanted,
                                                  Diagnostics& diagnostics);

  std::vector<SymbolInput> inputs_;
  std::string names_;  // of all of its own
  PackageUse use_;
  bool strict_;
  bool is_shared_ = false;
  std::shared_ptr<SymbolPool> shared_;
  std::optional<std::vector<PackageFile>> packages_;  // absent: not listed yet
  std::vector<SymbolSource> read_;                    // that some guest has taken
  std::vector<Error> unusable_;                       // why share() has left some out
};

}  // namespace photon_dmesg
