#include "session/several_guests.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "session/inputs.h"
#include "session/session.h"
#include "session/symbol_pool.h"

namespace photon_dmesg::session {

namespace fs = std::filesystem;

namespace {

std::vector<SymbolInput> open_shared(const std::vector<fs::path>& files, bool strict,
                                     Diagnostics& diagnostics) {
  std::vector<SymbolInput> symbols;
  for (const fs::path& file : files) {
    std::error_code ignored;
    try {
      if (fs::is_directory(file, ignored)) {
        symbols.emplace_back().kind = SymbolKind::Folder;
        symbols.back().path = file;
        continue;
      }
      for (SymbolInput& input : sort_inputs({file}, strict, diagnostics).symbols) {
        symbols.push_back(std::move(input));
      }
    } catch (const Error& error) {
      if (strict) throw;
      diagnostics.warn_of_lack(fmt::format("not used: {}", error.what()));
    }
  }
  return symbols;
}

// Whose they are is not known: one guest's last words would be taken for another's.
void leave_out_logs(const std::vector<fs::path>& logs, bool strict, Diagnostics& diagnostics) {
  for (const fs::path& log : logs) {
    const std::string why = fmt::format(
        "{}: expected the checkpoint of the VM that this log of its host is of in the same folder, "
        "found none",
        log.string());
    if (strict) throw unusable(why);
    diagnostics.warn_of_lack(fmt::format("not used: {}", why));
  }
}

}  // namespace

SeveralGuests::SeveralGuests(GuestGroups groups, std::shared_ptr<BundleTree> tree,
                             const Options& options, Diagnostics& diagnostics)
    : groups_(std::move(groups)),
      options_(options),
      tree_(std::move(tree)),
      pool_(std::make_shared<SymbolPool>(open_shared(groups_.shared, options.strict, diagnostics),
                                         options)) {
  pool_->share(diagnostics);
  leave_out_logs(groups_.strange_logs, options.strict, diagnostics);
}

Guest SeveralGuests::open(std::size_t at, Diagnostics& diagnostics) {
  return session::open(files(at), {tree_, pool_}, options_, diagnostics);
}

}  // namespace photon_dmesg::session
