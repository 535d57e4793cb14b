#include "cli/output_guard.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/read_files.h"
#include "checkpoint/guest_files.h"
#include "session/other_files.h"
#include "session/symbol_kinds.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

bool is_configuration(const std::string& name) {
  return is_named_or_packed(name, vm_configuration_name);
}

// What a guest's file is; nothing for memory and all else without a mark.
std::optional<std::string_view> guest_file(const ByteSource& beginning) {
  try {
    const GuestFileKind kind = identify_guest_file(beginning);
    return kind == GuestFileKind::Unmarked ? std::nullopt : std::optional(name_of(kind));
  } catch (const Error&) {
    return "a virtual machine's";  // which can't be an input: encrypted, or another product's
  }
}

// What the file is that begins so, if it is to be kept.
std::optional<std::string_view> kept_file(const ByteSource& beginning, Exceptions exceptions) {
  if (const std::optional<SymbolKind> kind = identify_symbols(beginning)) {
    const bool replaced = *kind == SymbolKind::Profile && exceptions.profile;
    return replaced ? std::nullopt : std::optional(name_of(*kind));
  }
  if (const auto other = identify_marked(beginning)) return other->what;
  return guest_file(beginning);
}

void check_file(const OutputTarget& target, Exceptions exceptions) {
  std::error_code ignored;
  const bool is_new = !fs::exists(target.path, ignored);
  const bool is_new_configuration =
      is_new && std::all_of(target.names.begin(), target.names.end(), is_configuration);
  if (!(exceptions.new_configuration && is_new_configuration)) check_names(target);
  if (is_new) return;
  const std::vector<std::byte> bytes = beginning_of(target.path);
  const BufferSource beginning(target.path.string(), bytes);
  if (const auto what = kept_file(beginning, exceptions)) refuse_to_replace(target.named, *what);
}

// One that is not open yet could become any file that is opened meanwhile. Not so stdout itself:
// see keep_standard_descriptors(). That it is closed shows when it is written to.
void check_descriptor(const OutputTarget& target) {
  if (target.names.empty()) return;
  const int flags = ::fcntl(*target.descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
  throw Error(Failure::Usage, fmt::format("{}: expected a descriptor that is open for writing",
                                          target.named.string()));
}

}  // namespace

void refuse_to_replace(const fs::path& named, std::string_view reason) {
  throw Error(Failure::Usage, fmt::format("{}: the file that is there is not overwritten: {}",
                                          named.string(), reason));
}

std::vector<std::byte> beginning_of(const fs::path& path) {
  // So much, as the notes of a core stand behind its segments, of which it may have 65535.
  std::vector<std::byte> bytes(std::size_t{4} << 20);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad()) refuse_to_replace(path, "it can't be read");
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

void check_no_input(const Options& options, const OutputTarget& target) {
  const auto is_target = [&](const fs::path& input) {
    std::error_code ignored;
    return fs::equivalent(input, target.path, ignored);
  };
  if (read_files::contains(target.path) ||
      std::any_of(options.files.begin(), options.files.end(), is_target) ||
      std::any_of(options.keys.begin(), options.keys.end(), is_target)) {
    throw read_files::would_be_replaced(target.named);
  }
}

void check_names(const OutputTarget& target) {
  for (const std::string& name : target.names) {
    if (has_vmwares_name(name)) {
      throw Error(Failure::Usage,
                  fmt::format("{}: expected a name that no file of a virtual machine has, found {}",
                              target.named.string(), name));
    }
  }
}

void check_target(const Options& options, const OutputTarget& target, Exceptions exceptions) {
  std::error_code ignored;
  // A terminal may be both.
  if (!fs::is_character_file(target.path, ignored)) check_no_input(options, target);
  if (target.descriptor) return check_descriptor(target);
  if (fs::is_block_file(target.path, ignored)) refuse_to_replace(target.named, "a disk");
  if (fs::is_directory(target.path, ignored)) {
    throw Error(Failure::Usage,
                fmt::format("{}: expected a file, found a folder", target.named.string()));
  }
  if (!target.is_special) return check_file(target, exceptions);
  if (fs::is_regular_file(target.path, ignored)) {
    refuse_to_replace(target.named, "another process has it open");
  }
}

}  // namespace photon_dmesg
