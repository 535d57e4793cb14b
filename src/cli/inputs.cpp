#include "cli/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/byte_reader.h"
#include "base/error.h"
#include "checkpoint/tag_file.h"
#include "iso/iso_image.h"
#include "kernel/elf_image.h"
#include "kernel/profile.h"
#include "kernel/system_map.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {
namespace {

void assign(std::unique_ptr<InputFile>& role, std::unique_ptr<InputFile> file, const char* what) {
  if (role) {
    throw Error(Failure::Usage, fmt::format("{} and {}: expected one {}, found two", role->name(),
                                            file->name(), what));
  }
  role = std::move(file);
}

std::string first_word(const InputFile& file) {
  return file.contains(0, 4) ? fmt::format("{:#x}", ByteReader(file).u32("the first word"))
                             : fmt::format("{} bytes", file.size());
}

std::string names_of(const std::vector<std::unique_ptr<InputFile>>& files) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const std::unique_ptr<InputFile>& file : files) {
    names.push_back(fmt::format("{} (begins with {})", file->name(), first_word(*file)));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// Gives the files without a known mark their role: one of them may be the memory. More of them
// means that one is not what its user takes it for.
void assign_unmarked(Inputs& inputs, std::vector<std::unique_ptr<InputFile>> unmarked) {
  if (!inputs.checkpoint && !unmarked.empty()) {
    throw unusable(
        fmt::format("{}: expected a checkpoint (.vmss or .vmsn, magic such as {:#x}), "
                    "found none",
                    names_of(unmarked), vmware::magics.front().value));
  }
  if (!inputs.symbols && unmarked.size() > 1) {
    throw unusable(
        fmt::format("{}: expected memory and an ISO, RPM or vmlinux, found neither an ISO "
                    "nor an RPM nor an ELF file",
                    names_of(unmarked)));
  }
  for (std::unique_ptr<InputFile>& file : unmarked) {
    assign(inputs.memory, std::move(file), "memory file");
  }
}

}  // namespace

Inputs sort_inputs(const std::vector<std::filesystem::path>& files) {
  Inputs inputs;
  std::vector<std::unique_ptr<InputFile>> unmarked;
  const auto assign_symbols = [&](std::unique_ptr<InputFile> file, SymbolSourceKind kind) {
    inputs.symbols_kind = kind;
    assign(inputs.symbols, std::move(file),
           "source of symbols (ISO, RPM, vmlinux, System.map or profile)");
  };
  for (const std::filesystem::path& path : files) {
    auto file = std::make_unique<InputFile>(path);
    if (file->size() == 0) {
      throw unusable(fmt::format("{}: the file is empty", file->name()));
    }
    refuse_encrypted(*file);
    if (find_checkpoint_magic(*file) != nullptr) {
      assign(inputs.checkpoint, std::move(file), "checkpoint");
    } else if (is_rpm_package(*file)) {
      assign_symbols(std::move(file), SymbolSourceKind::Package);
    } else if (is_elf_file(*file)) {
      assign_symbols(std::move(file), SymbolSourceKind::Vmlinux);
    } else if (is_profile(*file)) {
      assign_symbols(std::move(file), SymbolSourceKind::Profile);
    } else if (is_system_map(*file)) {
      assign_symbols(std::move(file), SymbolSourceKind::SystemMap);
    } else if (is_iso_image(*file)) {
      assign_symbols(std::move(file), SymbolSourceKind::Iso);
    } else {
      unmarked.push_back(std::move(file));
    }
  }
  assign_unmarked(inputs, std::move(unmarked));
  return inputs;
}

}  // namespace photon_dmesg
