#include "session/session.h"

#include <memory>
#include <utility>

#include "session/inputs.h"
#include "session/symbol_pool.h"

namespace photon_dmesg::session {

Guest open(const std::vector<std::filesystem::path>& files, const Options& options,
           Diagnostics& diagnostics) {
  Inputs inputs = sort_inputs(files, options.strict, diagnostics);
  auto pool = std::make_shared<SymbolPool>(std::move(inputs.symbols), options);
  return {std::move(inputs), std::move(pool), diagnostics};
}

}  // namespace photon_dmesg::session
