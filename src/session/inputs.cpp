#include "session/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/byte_reader.h"
#include "base/error.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {
namespace {

using Files = std::vector<std::unique_ptr<ByteSource>>;

[[noreturn]] void refuse_second(const std::string& first, const std::string& second,
                                std::string_view what) {
  throw Error(Failure::Usage,
              fmt::format("{} and {}: expected one {}, found two", first, second, what));
}

std::string first_word(const ByteSource& file) {
  return file.contains(0, 4) ? fmt::format("{:#x}", ByteReader(file).u32("the first word"))
                             : fmt::format("{} bytes", file.size());
}

std::string names_of(const Files& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const std::unique_ptr<ByteSource>& file : files) {
    names.push_back(fmt::format("{} (begins with {})", file->name(), first_word(*file)));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void add_symbols(Inputs& inputs, SymbolInput input) {
  if (!inputs.symbols.empty() &&
      !(holds_packages(input.kind) && holds_packages(inputs.symbols.front().kind))) {
    throw Error(Failure::Usage,
                fmt::format("{} and {}: expected one source of symbols (a vmlinux, System.map or "
                            "profile; or ISOs, packages and folders of packages), found two",
                            inputs.symbols.front().name(), input.name()));
  }
  inputs.symbols.push_back(std::move(input));
}

// What can be read once only.
SymbolInput open_pipe(const std::filesystem::path& path) {
  constexpr std::size_t marked_bytes = 64 * 1024;  // where every kind has its mark
  SymbolInput input;
  input.path = path;
  input.pipe = std::make_unique<PipeStream>(path);
  const BufferSource first(input.name(), input.pipe->peek(marked_bytes));
  const std::optional<SymbolKind> kind = identify_symbols(first);
  if (!kind || !holds_packages(*kind)) {
    throw unusable(
        fmt::format("{}: expected an ISO or a package, as everything else must be a file that can "
                    "be read at any place",
                    input.name()));
  }
  input.kind = *kind;
  return input;
}

SymbolInput open_folder(const std::filesystem::path& path) {
  SymbolInput input;
  input.kind = SymbolKind::Folder;
  input.path = path;
  return input;
}

// A dump may come in several parts; anything else is one file.
void add_guest_file(GuestFiles& guest, GuestFileKind kind, std::unique_ptr<ByteSource> file) {
  if (!guest.state.empty() && (kind != GuestFileKind::Kdump || guest.kind != kind)) {
    refuse_second(guest.state.front()->name(), file->name(), "checkpoint");
  }
  guest.kind = kind;
  guest.state.push_back(std::move(file));
}

// One of the files without a known mark may be the memory. More of them, or one too small to hold
// a kernel, means that it is not what its user takes it for.
void add_unmarked(Inputs& inputs, Files unmarked) {
  if (unmarked.empty()) return;
  constexpr std::uint64_t smallest_memory = 4 * 1024 * 1024;
  const bool too_small = inputs.guest.state.empty() && unmarked.front()->size() < smallest_memory;
  if (inputs.symbols.empty() && !inputs.guest.state.empty() && unmarked.size() > 1) {
    throw unusable(
        fmt::format("{}: expected memory and an ISO, RPM or vmlinux, found neither an ISO "
                    "nor an RPM nor an ELF file",
                    names_of(unmarked)));
  }
  if (too_small || (inputs.guest.state.empty() && unmarked.size() > 1)) {
    throw unusable(
        fmt::format("{}: expected a checkpoint (.vmss or .vmsn, magic such as {:#x}), "
                    "found none",
                    names_of(unmarked), vmware::magics.front().value));
  }
  if (unmarked.size() > 1) {
    refuse_second(unmarked[0]->name(), unmarked[1]->name(), "memory file");
  }
  inputs.guest.memory = std::move(unmarked.front());
}

}  // namespace

Inputs sort_inputs(const std::vector<std::filesystem::path>& files, Diagnostics& diagnostics) {
  Inputs inputs;
  Files unmarked;
  for (const std::filesystem::path& path : files) {
    if (is_pipe(path)) {
      add_symbols(inputs, open_pipe(path));
      continue;
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
      add_symbols(inputs, open_folder(path));
      continue;
    }
    auto file = std::make_unique<InputFile>(path);
    if (file->size() == 0) {
      throw unusable(fmt::format("{}: the file is empty", file->name()));
    }
    if (const auto kind = identify_symbols(*file)) {
      add_symbols(inputs, {*kind, path, std::move(file), nullptr});
      continue;
    }
    std::unique_ptr<ByteSource> guest_file = open_guest_file(path, diagnostics);
    const GuestFileKind kind = identify_guest_file(*guest_file);
    if (kind == GuestFileKind::Unmarked) {
      unmarked.push_back(std::move(guest_file));
    } else {
      add_guest_file(inputs.guest, kind, std::move(guest_file));
    }
  }
  add_unmarked(inputs, std::move(unmarked));
  return inputs;
}

}  // namespace photon_dmesg
