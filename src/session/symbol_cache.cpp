#include "session/symbol_cache.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <system_error>

#include "base/error.h"
#include "base/output_file.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "session/cache_folder.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// A file that was copied, say, onto another's name.
void check_kernel(const SymbolStore& store, const StoredKernel& kernel, const fs::path& path) {
  if (store.release() == kernel.release && store.origin() == kernel.origin) return;
  throw unusable(fmt::format("{}: expected a profile of {} ({}), found one of {} ({})",
                             path.string(), kernel.release, kernel.origin, store.release(),
                             store.origin()));
}

void note(Diagnostics& diagnostics, std::string what, std::string how) {
  diagnostics.found({.what = std::move(what), .where = "cache", .how = std::move(how)});
}

}  // namespace

std::optional<fs::path> SymbolCache::default_folder() {
  // As the XDG Base Directory Specification has it: a relative path is to be ignored.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "photon-dmesg";
  const char* home = std::getenv("HOME");
  if (home != nullptr && fs::path(home).is_absolute()) {
    return fs::path(home) / ".cache" / "photon-dmesg";
  }
  return std::nullopt;
}

fs::path SymbolCache::path_of(const std::string& digest) const {
  return folder_ / fmt::format("{}-{:016x}.symbols", digest, symbol_store::schema());
}

std::unique_ptr<SymbolStore> SymbolCache::find(const std::string& digest,
                                               const StoredKernel& kernel, const std::string& name,
                                               Diagnostics& diagnostics) const {
  const fs::path path = path_of(digest);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return nullptr;
  if (!cache_folder::is_trustworthy(path)) {
    note(diagnostics, fmt::format("{} is not used", path.string()), "others could have written it");
    return nullptr;
  }
  try {
    auto store = SymbolStore::map(path, name);
    check_kernel(*store, kernel, path);
    note(diagnostics, fmt::format("found {}", path.string()), "the package need not be unpacked");
    return store;
  } catch (const Error& error) {
    diagnostics.warn(fmt::format("{}: what was kept of it is made anew: {}", name, error.what()));
    fs::remove(path, ignored);
    return nullptr;
  }
}

std::unique_ptr<FileLock> SymbolCache::lock(const std::string& digest,
                                            Diagnostics& diagnostics) const {
  // Longer than any package takes to be read: a machine that died may have left it locked.
  constexpr auto patience = std::chrono::minutes(2);
  const fs::path path = path_of(digest).string() + ".lock";
  const auto began = std::chrono::steady_clock::now();
  bool waited = false;
  try {
    cache_folder::make(folder_);
    return std::make_unique<FileLock>(path, [&] {
      if (std::chrono::steady_clock::now() - began > patience) {
        throw Error(Failure::Incomplete,
                    fmt::format("{}: another run has held it for too long", path.string()));
      }
      if (!waited) note(diagnostics, "waiting for another run that reads the package", "");
      waited = true;
      diagnostics.progress({"waiting for another photon-dmesg that reads the package"});
    });
  } catch (const std::exception& error) {
    note(diagnostics, "other runs are not kept from reading the package too", error.what());
    return nullptr;
  }
}

void SymbolCache::store(const std::string& digest, const KernelSymbols& symbols,
                        const StoredKernel& kernel, Diagnostics& diagnostics) const {
  const fs::path path = path_of(digest);
  try {
    const std::vector<std::byte> store = make_symbol_store(symbols, kernel.release, kernel.origin);
    cache_folder::make(folder_);
    // Where nothing can be locked another run may have been first. Its file is as good, and who has
    // it open through a network file system would lose it. One that find() does not trust is none.
    if (!cache_folder::is_trustworthy(path)) write_file(path, Access::OwnerOnly, store);
    diagnostics.found({.what = "stored in", .value = path.string(), .where = "cache"});
  } catch (const std::exception& error) {
    note(diagnostics, "not stored", error.what());
  }
}

}  // namespace photon_dmesg
