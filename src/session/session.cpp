#include "session/session.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "session/inputs.h"
#include "session/symbol_pool.h"

namespace photon_dmesg::session {

Guest open(const std::vector<std::filesystem::path>& files, const Options& options,
           Diagnostics& diagnostics) {
  Inputs inputs = sort_inputs(files, options.strict, diagnostics);
  auto pool = std::make_shared<SymbolPool>(std::move(inputs.symbols), options);
  return {inputs, std::move(pool), diagnostics};
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
