#include "session/remembered_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace photon_dmesg {
namespace {

// The one file that all packages among `inputs` lie in; null if there are several, or what is no
// file.
const SymbolInput* only_medium(const std::vector<SymbolInput>& inputs) {
  const auto is_medium = [](const SymbolInput& input) { return holds_packages(input.kind); };
  if (std::count_if(inputs.begin(), inputs.end(), is_medium) != 1) return nullptr;
  const SymbolInput& medium = *std::find_if(inputs.begin(), inputs.end(), is_medium);
  return medium.pipe || medium.kind == SymbolKind::Folder ? nullptr : &medium;
}

}  // namespace

RememberedSearch::RememberedSearch(const std::vector<SymbolInput>& inputs, WantedKernel wanted,
                                   const PackageUse& use, MakeSearch make_search,
                                   Diagnostics& diagnostics,
                                   std::chrono::system_clock::time_point now)
    : wanted_(std::move(wanted)),
      use_(use),
      make_search_(std::move(make_search)),
      diagnostics_(diagnostics),
      now_(now) {
  if (!use_.memory || !wanted_.release || !names_one_build(*wanted_.release)) return;
  medium_ = only_medium(inputs);
  if (medium_ != nullptr) state_ = lasting_state(medium_->path, now_);
}

// What an earlier run found, if the cache still has it.
std::optional<SymbolSource> RememberedSearch::recall() {
  if (std::exchange(recalled_, true) || !state_) return std::nullopt;
  const std::optional<FoundPackage> package = use_.memory->find(*state_, wanted_);
  if (!package) return std::nullopt;
  const PackageFile file = package_on(*medium_, package->path);
  diagnostics_.found(
      {.what = fmt::format("{}: {}, {} of {}", file.name(), package->label, package->kernel_file,
                           package->release),
       .where = "cache",
       .how = "an earlier run found it there, and the medium has not changed since"});
  SymbolSource source = name_source(file, *package);
  source.symbols = find_stored(*use_.cache, file, *package, diagnostics_);
  if (!source.symbols) return std::nullopt;
  return source;
}

std::optional<SymbolSource> RememberedSearch::next() {
  if (!search_) {
    if (auto source = recall()) return source;
    search_ = make_search_();
  }
  return search_->next();
}

// What was recalled comes once more, and is refused again: then that is why the search failed.
void RememberedSearch::refuse(const Error& why) {
  if (search_) search_->refuse(why);
}

void RememberedSearch::accept() {
  if (!search_) return;
  search_->accept();
  remember();
}

void RememberedSearch::remember() {
  const std::optional<FoundPackage> package = search_->certain();
  // Whatever was changed meanwhile may not be what was read.
  if (!package || !state_ || lasting_state(medium_->path, now_) != state_) return;
  use_.memory->keep(*state_, wanted_, *package, diagnostics_);
}

std::vector<Error> RememberedSearch::failures() const {
  return search_ ? search_->failures() : std::vector<Error>();
}

}  // namespace photon_dmesg
