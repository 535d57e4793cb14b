#include "session/media_memory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/checksum.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/output_file.h"
#include "session/cache_folder.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// Raised when a search finds other packages than before on the same medium.
constexpr std::string_view format = "photon-dmesg medium 1";
constexpr std::string_view vmlinux = "vmlinux";
constexpr std::string_view system_map = "System.map";
constexpr char end_of_text = '\0';  // which no path or name has

std::string checksum_of(std::string_view text) {
  return fmt::format("{:016x}", checksum(std::as_bytes(std::span(text))));
}

// Texts, each with its end.
std::string join(std::span<const std::string_view> texts) {
  return fmt::format("{}{}", fmt::join(texts, std::string_view(&end_of_text, 1)), end_of_text);
}

std::vector<std::string> split(std::string_view joined) {
  std::vector<std::string> texts;
  for (auto end = joined.find(end_of_text); end != std::string_view::npos;
       end = joined.find(end_of_text)) {
    texts.emplace_back(joined.substr(0, end));
    joined.remove_prefix(end + 1);
  }
  return texts;
}

std::string_view architecture_of(const WantedKernel& wanted) {
  return wanted.architecture ? std::string_view(*wanted.architecture) : std::string_view();
}

// What is kept, whole: what it is of, what was found, and a checksum of both.
std::string describe(const MediumState& state, const WantedKernel& wanted,
                     const FoundPackage& package) {
  const std::array<std::string_view, 10> texts = {
      format,
      state.file,
      state.state,
      *wanted.release,
      architecture_of(wanted),
      package.path,
      package.label,
      package.header_digest,
      package.kind == KernelFile::Kind::Vmlinux ? vmlinux : system_map,
      package.kernel_file};
  const std::string all = join(texts);
  return all + checksum_of(all) + end_of_text;
}

// The package that `kept` names for a medium in `state` and for `wanted`. Anything but what
// describe() makes of them names none.
std::optional<FoundPackage> read(std::string_view kept, const MediumState& state,
                                 const WantedKernel& wanted) {
  const std::vector<std::string> texts = split(kept);
  if (texts.size() != 11) return std::nullopt;
  FoundPackage package;
  package.path = texts[5];
  package.label = texts[6];
  package.header_digest = texts[7];
  package.kind = texts[8] == vmlinux ? KernelFile::Kind::Vmlinux : KernelFile::Kind::SystemMap;
  package.kernel_file = texts[9];
  package.release = *wanted.release;
  if (describe(state, wanted, package) != kept) return std::nullopt;
  return package;
}

}  // namespace

fs::path MediaMemory::path_of(const MediumState& state, const WantedKernel& wanted) const {
  const std::array<std::string_view, 3> key = {state.file, *wanted.release,
                                               architecture_of(wanted)};
  return folder_ / (checksum_of(join(key)) + ".medium");
}

std::optional<FoundPackage> MediaMemory::find(const MediumState& state,
                                              const WantedKernel& wanted) const {
  const fs::path path = path_of(state, wanted);
  if (!cache_folder::is_trustworthy(path)) return std::nullopt;
  try {
    const MappedFile file(path);
    const auto bytes = file.bytes();
    return read({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, state, wanted);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void MediaMemory::keep(const MediumState& state, const WantedKernel& wanted,
                       const FoundPackage& package, Diagnostics& diagnostics) const {
  const fs::path path = path_of(state, wanted);
  try {
    cache_folder::make(folder_);
    const std::string kept = describe(state, wanted, package);
    write_file(path, Access::OwnerOnly, std::as_bytes(std::span(kept)));
    diagnostics.found({.what = "what was found on the medium is kept in",
                       .value = path.string(),
                       .where = "cache"});
  } catch (const std::exception& error) {
    diagnostics.found({.what = "what was found on the medium is not kept",
                       .where = "cache",
                       .how = error.what()});
  }
}

}  // namespace photon_dmesg
