#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "session/medium_state.h"
#include "session/package_search.h"
#include "session/package_use.h"
#include "session/symbol_candidates.h"
#include "session/symbol_kinds.h"

namespace photon_dmesg {

// A search in packages that begins with what an earlier run found, where the search would find the
// same: if the one medium is a file in the state in which it was then, if the kernel is known by a
// release that names one build, and if the cache may be used for all that is to be proved. Then
// the medium and its package are opened only if the symbols in the cache are missing, or turn out
// to be another kernel's.
class RememberedSearch final : public SymbolCandidates {
 public:
  using MakeSearch = std::function<std::unique_ptr<PackageSearch>()>;

  // `make_search` makes the search in the packages of `inputs` for `wanted`; what it throws, next()
  // throws. `inputs`, `use` and `diagnostics` must outlive this object.
  RememberedSearch(const std::vector<SymbolInput>& inputs, WantedKernel wanted,
                   const PackageUse& use, MakeSearch make_search, Diagnostics& diagnostics,
                   std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

  [[nodiscard]] std::optional<SymbolSource> next() override;
  void refuse(const Error& why) override;
  // Remembers what was found, for later runs.
  void accept() override;
  [[nodiscard]] std::vector<Error> failures() const override;

 private:
  [[nodiscard]] std::optional<SymbolSource> recall();
  void remember();

  WantedKernel wanted_;
  const PackageUse& use_;
  MakeSearch make_search_;
  Diagnostics& diagnostics_;
  std::chrono::system_clock::time_point now_;

  const SymbolInput* medium_ = nullptr;  // null: nothing is remembered of it
  std::optional<MediumState> state_;     // of the medium, before the search; absent: the same
  bool recalled_ = false;
  std::unique_ptr<PackageSearch> search_;  // null: not needed so far
};

}  // namespace photon_dmesg
