#include "session/input_roles.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/byte_reader.h"
#include "base/packed_file.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/packed_memory.h"
#include "checkpoint/vmware/vmware_format.h"
#include "session/other_files.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// The least that a Linux guest can have, and what its memory is a multiple of.
constexpr std::uint64_t smallest_memory = 4 * 1024 * 1024;

constexpr std::size_t marked_bytes = 64 * 1024;  // where every kind has its mark

std::string first_word(const ByteSource& file) {
  return file.contains(0, 4) ? fmt::format("{:#x}", ByteReader(file).u32("the first word"))
                             : fmt::format("{} bytes", file.size());
}

Error unrecognised(const ByteSource& file) {
  return unusable(
      fmt::format("{} (begins with {}): expected a checkpoint (.vmss or .vmsn, magic such as "
                  "{:#x}), a guest's memory, or an ISO, RPM, vmlinux or System.map, found none",
                  file.name(), first_word(file), vmware::magics.front().value));
}

Error not_this(const fs::path& path, const OtherFile& other, const std::string& packed = {}) {
  return unusable(
      fmt::format("{}: this is {}{}: {}", path.string(), other.what, packed, other.advice));
}

// Whether symbols are read at any place of an open file, as of one that is unpacked in memory, and
// not by its path.
bool are_read_in_memory(SymbolKind kind) {
  return kind == SymbolKind::SystemMap || kind == SymbolKind::Profile;
}

// Refuses, before all of it is unpacked, a packed file that would then be of no use.
void check_packed(const ByteSource& packed, std::string_view packing, const fs::path& path) {
  const std::vector<std::byte> bytes = peek_unpacked(packed, marked_bytes);
  const BufferSource begin(packed.name(), bytes);
  if (const std::optional<SymbolKind> kind = identify_symbols(begin)) {
    if (are_read_in_memory(*kind)) return;
    throw unusable(fmt::format("{}: this is {} packed with {}: unpack it first ({} -d)",
                               path.string(), name_of(*kind), packing, packing));
  }
  const auto other = identify_other(begin, path.stem());
  if (other) throw not_this(path, *other, fmt::format(", packed with {}", packing));
}

void refuse_bundled(const BundleTree& tree, SymbolKind kind, const fs::path& path) {
  if (are_read_in_memory(kind) || !tree.is_bundled(path)) return;
  throw unusable(
      fmt::format("{}: this is {} in a bundle: unpack it first", path.string(), name_of(kind)));
}

}  // namespace

// A copy that was cut short has any size, and is known by its name; so is a checkpoint that has
// lost its beginning.
bool may_be_memory(const ByteSource& file, const fs::path& path) {
  if (is_named_as_checkpoint(path)) return false;
  return has_ending(path, ".vmem") || is_packed_memory(file) ||
         (file.size() >= smallest_memory && file.size() % vmware::page_bytes == 0);
}

InputRole find_role(const BundleTree& tree, const fs::path& path, Diagnostics& diagnostics) {
  InputRole role;
  role.file = tree.open(path, diagnostics);
  if (role.file->size() == 0) {
    throw unusable(fmt::format("{}: the file is empty", role.file->name()));
  }
  if (const auto packing = packing_of(*role.file)) {
    check_packed(*role.file, *packing, path);
    role.file = open_guest_file(tree, path, diagnostics);
  }
  role.symbols = identify_symbols(*role.file);
  if (role.symbols) {
    refuse_bundled(tree, *role.symbols, path);
    return role;
  }
  const GuestFileKind kind = identify_guest_file(*role.file);
  if (kind == GuestFileKind::Unmarked) {
    if (const auto other = identify_other(*role.file, path)) {
      if (!other->is_of_vm) throw not_this(path, *other);
      role.beside = not_this(path, *other);
      return role;
    }
    if (!may_be_memory(*role.file, path)) throw unrecognised(*role.file);
  }
  role.guest = kind;
  return role;
}

SymbolInput open_pipe(const fs::path& path) {
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

}  // namespace photon_dmesg
