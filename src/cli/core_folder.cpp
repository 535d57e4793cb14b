#include "cli/core_folder.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "base/byte_source.h"
#include "base/error.h"
#include "cli/output_guard.h"
#include "kernel/symbols/vmlinux/elf_image.h"
#include "report/core/core_file.h"
#include "report/core/gdb_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

struct WrittenFile {
  const char* name;
  bool (*is_ours)(const ByteSource& beginning);
};

constexpr std::array written_files = {
    WrittenFile{core_name, is_written_core},
    WrittenFile{vmlinux_name, is_elf_file},
    WrittenFile{macros_name, is_gdb_macros},
    WrittenFile{gdbinit_name, is_written_gdbinit},
};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool is_ours(const WrittenFile& file, const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const std::vector<std::byte> bytes = beginning_of(path);
  return file.is_ours(BufferSource(path.string(), bytes));
}

// The build-id of a vmlinux; nothing if it has none, or is damaged.
std::optional<std::string> build_id_of(const fs::path& vmlinux) {
  try {
    return ElfImage(vmlinux).build_id();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

void check_core_folder(const Options& options) {
  const OutputTarget folder = find_output_target(*options.output);
  check_no_input(options, folder);
  check_names(folder);
  std::error_code ignored;
  if (is_there(folder.path) && !fs::is_directory(folder.path, ignored)) {
    throw Error(Failure::Usage,
                fmt::format("{}: expected a folder, found a file", options.output->string()));
  }
  for (const WrittenFile& file : written_files) {
    const fs::path path = *options.output / file.name;
    if (!is_there(path)) continue;
    if (file.name != vmlinux_name) check_no_input(options, find_output_target(path));
    if (!is_ours(file, path)) refuse_to_replace(path, "photon-dmesg core has not written it");
  }
}

bool has_vmlinux(const fs::path& folder, const SymbolSource& symbols) {
  const fs::path path = folder / vmlinux_name;
  if (!is_there(path)) return false;
  std::error_code ignored;
  if (fs::equivalent(*symbols.provenance.vmlinux, path, ignored)) return true;
  const std::optional<std::string> wanted = symbols.symbols->build_id();
  if (!wanted || build_id_of(path) != wanted) {
    refuse_to_replace(path, "it is not the vmlinux of the guest's kernel");
  }
  return true;
}

}  // namespace photon_dmesg
