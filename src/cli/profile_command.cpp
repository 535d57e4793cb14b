#include "cli/profile_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/io/standard_streams.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "session/guest.h"
#include "session/inputs.h"
#include "session/package_search.h"
#include "session/stored_symbols.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// The release that the symbols are of, by where they were found or by their banner.
std::optional<std::string> release_of(const SymbolSource& source) {
  if (source.release) {
    return source.release;
  }
  const std::optional<KernelBanner> banner = banner_of(*source.symbols);
  return banner ? std::optional(banner->release) : std::nullopt;
}

Error several_kernels(SymbolPool& pool, Diagnostics& diagnostics) {
  std::vector<std::string> releases;
  for (const PackagedKernel& kernel : pool.kernels(diagnostics)) {
    releases.push_back(kernel.release);
  }
  return {Failure::Usage,
          fmt::format("{}: this may hold several kernels: expected --release or a checkpoint, "
                      "found neither (it holds {})",
                      pool.names(),
                      releases.empty() ? "none" : fmt::format("{}", fmt::join(releases, ", ")))};
}

// What `source` says that it is of other than `release`: the path in its package or its banner.
std::optional<std::string> find_other_release(const SymbolSource& source,
                                              const std::string& release) {
  if (source.release && *source.release != release) return source.release;
  const std::optional<KernelBanner> banner = banner_of(*source.symbols);
  return banner && banner->release != release ? std::optional(banner->release) : std::nullopt;
}

// The next candidate that can be of the kernel that --release names.
std::optional<SymbolSource> next_fitting(SymbolCandidates& candidates, const Options& options) {
  while (std::optional<SymbolSource> source = candidates.next()) {
    const std::optional<std::string> other =
        options.release ? find_other_release(*source, *options.release) : std::nullopt;
    if (!other) return source;
    candidates.refuse(
        Error(Failure::Mismatch, fmt::format("{}: expected symbols of {}, found those of {}",
                                             source->symbols->name(), *options.release, *other)));
  }
  return std::nullopt;
}

// Whether `other`, which comes behind `source`, can be passed over as no other build than that.
bool is_same_build(const SymbolSource& source, const SymbolSource& other) {
  const auto build_id = source.symbols->build_id();
  const auto banner = source.symbols->banner_bytes();
  const auto other_id = other.symbols->build_id();
  const auto other_banner = other.symbols->banner_bytes();
  if (build_id && other_id) return build_id == other_id;
  if (banner && other_banner) return banner == other_banner;
  return build_id || banner;
}

// The packages that hold as much as `source`'s does of a kernel of its release, that one included.
std::vector<std::string> packages_like(const SymbolSource& source, SymbolPool& pool) {
  SilentDiagnostics said_before;
  std::map<std::string, std::string> labels;  // by the header's digest
  const std::vector<PackagedKernel> kernels = pool.kernels(said_before);
  const auto own = std::find_if(kernels.begin(), kernels.end(), [&](const PackagedKernel& kernel) {
    return kernel.header_digest == source.header_digest;
  });
  for (const PackagedKernel& kernel : kernels) {
    if (own == kernels.end() || kernel.release != own->release) continue;
    const bool is_other_machine = kernel.architecture != own->architecture;
    if (!is_other_machine && kernel.has_types != own->has_types) continue;
    labels.emplace(kernel.header_digest, kernel.package);
  }
  std::vector<std::string> names;
  names.reserve(labels.size());
  for (const auto& [digest, label] : labels) names.push_back(label);
  std::sort(names.begin(), names.end());
  return names;
}

// The files that may be of the same release as `source` and of another build, that one included.
std::vector<std::string> files_like(const SymbolSource& source, SymbolCandidates& candidates,
                                    const SymbolPool& pool, const Options& options) {
  std::vector<std::string> names = {source.symbols->name()};
  const auto& inputs = pool.inputs();
  const auto files = std::count_if(inputs.begin(), inputs.end(), [](const SymbolInput& input) {
    return !holds_packages(input.kind);
  });
  if (files < 2) return names;
  while (const auto other = next_fitting(candidates, options)) {
    const bool is_file = other->header_digest.empty();
    if (is_file && !is_same_build(source, *other)) names.push_back(other->symbols->name());
  }
  return names;
}

// Refuses to choose among several kernels of the release that --release names.
void require_only(const SymbolSource& source, SymbolCandidates& candidates, SymbolPool& pool,
                  const Options& options) {
  if (!options.release) return;
  const std::vector<std::string> names = source.header_digest.empty()
                                             ? files_like(source, candidates, pool, options)
                                             : packages_like(source, pool);
  if (names.size() < 2) return;
  throw Error(Failure::Usage,
              fmt::format("{}: expected one kernel of {}, found {}: name the file of one of them, "
                          "or a checkpoint",
                          pool.names(), *options.release, fmt::join(names, ", ")));
}

// The only kernel of files without a guest, or the one that --release names.
SymbolSource find_kernel(const Options& options, SymbolPool& pool, Diagnostics& diagnostics) {
  if (pool.empty()) {
    throw Error(Failure::Usage, "expected a source of symbols or a checkpoint, found neither");
  }
  const SymbolKind kind = pool.inputs().front().kind;
  const bool several =
      pool.inputs().size() > 1 || kind == SymbolKind::Iso || kind == SymbolKind::Folder;
  if (several && !options.release) throw several_kernels(pool, diagnostics);
  const auto candidates = pool.candidates({options.release, std::nullopt}, diagnostics);
  std::optional<SymbolSource> source = next_fitting(*candidates, options);
  if (!source) throw Error(candidates->failures().front());
  candidates->accept();
  require_only(*source, *candidates, pool, options);
  if (options.release) source->release = options.release;
  if (!source->release) source->release = release_of(*source);
  if (!source->release) {
    throw Error(
        Failure::Usage,
        fmt::format("{}: expected --release, as the file does not say which kernel it is of",
                    pool.names()));
  }
  return *source;
}

std::vector<std::byte> make_profile(const Options& options, Diagnostics& diagnostics) {
  Inputs inputs = sort_inputs(options.files, true, diagnostics);
  session::Options use = session_options(options);
  use.strict = true;  // a profile is of what was named, or is not made
  auto pool = std::make_shared<SymbolPool>(std::move(inputs.symbols), use);
  SymbolSource source;
  if (inputs.guest.empty()) {
    source = find_kernel(options, *pool, diagnostics);
  } else {
    const Guest guest(inputs, pool, diagnostics);
    source = guest.symbols();
    source.release = guest.kernel().banner().release;
  }
  require_log(*source.symbols);
  return make_symbol_store(*source.symbols, *source.release, describe(source.provenance));
}

// With the architecture, as releases have the same name on each, and what tells builds apart that
// have one.
fs::path store_path(const Options& options, const SymbolSource& source,
                    const std::optional<std::string>& architecture) {
  constexpr std::size_t digest_digits = 8;
  std::string name = "linux-" + *source.release;
  if (architecture) name += "." + *architecture;
  if (!names_one_build(*source.release))
    name += "-" + source.header_digest.substr(0, digest_digits);
  return *options.output / (name + profile_ending);
}

// Nothing, with a warning, for symbols that no profile can be made of: the others can.
std::optional<std::vector<std::byte>> make_store(const SymbolSource& source,
                                                 Diagnostics& diagnostics) {
  try {
    require_log(*source.symbols);
    return make_symbol_store(*source.symbols, *source.release, describe(source.provenance));
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("not used: {}", error.what()));
    return std::nullopt;
  }
}

// Whether there is one now.
bool write_store(const Options& options, const SymbolSource& source,
                 const std::optional<std::string>& architecture, TerminalDiagnostics& diagnostics) {
  const auto profile = make_store(source, diagnostics);
  diagnostics.clear_progress();
  if (!profile) return false;
  Options to_file = options;
  to_file.output = store_path(options, source, architecture);
  write_output(to_file, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(profile->data()),
              static_cast<std::streamsize>(profile->size()));
  });
  print(fmt::format("{}: {}\n", to_file.output->string(), *source.release));
  return true;
}

// One profile of each kernel that packages hold. One that can't be read leaves the others.
void write_all(const Options& options, TerminalDiagnostics& diagnostics) {
  Inputs inputs = sort_inputs(options.files, true, diagnostics);
  session::Options use = session_options(options);
  use.strict = true;
  SymbolPool pool(std::move(inputs.symbols), use);
  std::set<std::pair<std::string, std::optional<std::string>>> kernels;
  for (const PackagedKernel& kernel : pool.kernels(diagnostics)) {
    kernels.emplace(kernel.release, kernel.architecture);
  }
  if (kernels.empty()) {
    throw unusable(
        fmt::format("{}: expected kernels in ISOs or packages, found none", pool.names()));
  }
  fs::create_directories(*options.output);
  for (const auto& [release, architecture] : kernels) {
    const auto candidates = pool.candidates({release, std::nullopt, architecture}, diagnostics);
    std::optional<SymbolSource> source = candidates->next();
    if (!source) {
      diagnostics.warn_of_lack(fmt::format("not used: {}", candidates->failures().front().what()));
    }
    while (source) {
      const bool written = write_store(options, *source, architecture, diagnostics);
      if (written && names_one_build(release)) break;
      source = candidates->next();
    }
  }
}

}  // namespace

void print_profile(const Options& options, TerminalDiagnostics& diagnostics) {
  if (options.all_kernels) return write_all(options, diagnostics);
  if (!options.output && ::isatty(STDOUT_FILENO) == 1) {
    throw Error(Failure::Usage,
                "a profile is not text: expected -o FILE or a pipe, found a terminal");
  }
  const std::vector<std::byte> profile = make_profile(options, diagnostics);
  diagnostics.clear_progress();
  write_output(options, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(profile.data()),
              static_cast<std::streamsize>(profile.size()));
  });
}

}  // namespace photon_dmesg
