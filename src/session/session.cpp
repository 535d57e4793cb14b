#include "session/session.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "session/bundle_tree.h"
#include "session/inputs.h"
#include "session/stored_symbols.h"
#include "session/symbol_pool.h"

namespace photon_dmesg::session {

Guest open(const std::vector<std::filesystem::path>& files, const Options& options,
           Diagnostics& diagnostics) {
  return open(files, {}, options, diagnostics);
}

Guest open(const std::vector<std::filesystem::path>& files, Shared shared, const Options& options,
           Diagnostics& diagnostics) {
  if (!shared.tree) shared.tree = std::make_shared<BundleTree>();
  Inputs inputs = sort_inputs(files, std::move(shared.tree), options.strict, diagnostics);
  auto pool =
      std::make_shared<SymbolPool>(std::move(inputs.symbols), options, std::move(shared.symbols));
  return {inputs, std::move(pool), diagnostics};
}

std::shared_ptr<SymbolPool> open_symbols(const std::vector<std::filesystem::path>& files,
                                         const Options& options, Diagnostics& diagnostics) {
  if (files.empty()) return nullptr;
  std::vector<std::filesystem::path> all = files;
  for (const std::filesystem::path& file : files) {
    const std::vector<std::filesystem::path> profiles = profiles_in(file);
    all.insert(all.end(), profiles.begin(), profiles.end());
  }
  Inputs inputs = sort_inputs(all, true, diagnostics);
  if (!inputs.guest.empty()) {
    const ByteSource& file =
        inputs.guest.memory ? *inputs.guest.memory : *inputs.guest.state.front();
    throw Error(Failure::Usage,
                fmt::format("{}: expected symbols of kernels, found a guest's file", file.name()));
  }
  auto pool = std::make_shared<SymbolPool>(std::move(inputs.symbols), options);
  pool->share(diagnostics);
  return pool;
}

KernelLogReader open_log(Guest& guest, Diagnostics& diagnostics) {
  std::optional<Error> failure;
  try {
    return {guest.kernel(), diagnostics};
  } catch (const Error& error) {
    failure = error;
  }
  try {
    if (!guest.use_own_symbols(diagnostics)) throw Error(*failure);
    KernelLogReader reader(guest.kernel(), diagnostics);
    diagnostics.warn_of_lack(
        fmt::format("not used: {}: symbols are taken from the guest's memory", failure->what()));
    return reader;
  } catch (const Error&) {
    throw Error(*failure);  // what the user can do something about
  }
}

}  // namespace photon_dmesg::session
