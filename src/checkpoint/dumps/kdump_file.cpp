#include "checkpoint/dumps/kdump_file.h"

#include <fmt/format.h>

#include "base/budget.h"
#include "base/byte_reader.h"
#include "base/error.h"
#include "base/optional_fact.h"
#include "base/spool.h"
#include "checkpoint/dumps/elf_core.h"
#include "checkpoint/dumps/kdump_process.h"
#include "checkpoint/dumps/memory_file.h"
#include "checkpoint/guest/unreadable_memory.h"

namespace photon_dmesg {
namespace {

// All of it, but for its zeros. What comes out of a packed file may be any number of bytes.
void copy_unpacked(const ByteSource& source, MemoryFile& target) {
  const std::uint64_t most = SpoolLimits::of_machine().kept;
  Budget budget("bytes of memory for what it unpacks to", most);
  target.extend(source.size());
  for (std::uint64_t at = source.next_data(0); at < source.size(); at = source.next_data(at)) {
    const std::uint64_t end = source.data_end(at);
    if (!budget.take(end - at)) {
      throw unusable(fmt::format(
          "{}: what it unpacks to takes more than {} bytes of memory: unpack it to a disk",
          source.name(), most));
    }
    target.copy(source, at, end - at, at);
    at = end;
  }
}

// GuestMemory through libkdumpfile.
class KdumpMemory final : public GuestMemory {
 public:
  KdumpMemory(const std::vector<std::shared_ptr<const ByteSource>>& files, const std::string& name)
      : name_(name), process_(files, name) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    return unreadable_.read(address, target, [&](GuestPhysical at, std::span<std::byte> part) {
      return process_.read(at, part);
    });
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return process_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::optional<std::string> unreadable() const override {
    return unreadable_.describe();
  }

 private:
  std::string name_;
  KdumpProcess process_;
  UnreadableMemory unreadable_;
};

// The notes of the machine's core, which libkdumpfile 0.5.1 does not hand out. They are named in
// the sub-header, a block of its own behind the header (makedumpfile: diskdump_mod.h).
void read_notes(const ByteSource& file, GuestState& state, Diagnostics& diagnostics) {
  constexpr std::uint64_t version_at = 8;
  constexpr std::uint64_t block_size_at = 428;
  constexpr std::uint64_t notes_at = 0x30;       // in the sub-header: offset and size
  constexpr std::uint32_t first_with_notes = 4;  // version
  constexpr std::uint64_t largest_notes = 64 * 1024 * 1024;
  const auto word = [&](std::uint64_t at, std::size_t width) {
    return ByteReader(file, at, file.size()).unsigned_of(width, "the dump's header");
  };
  if (word(version_at, sizeof(std::uint32_t)) < first_with_notes) return;
  const std::uint64_t sub_header = word(block_size_at, sizeof(std::uint32_t));
  const std::uint64_t offset = word(sub_header + notes_at, sizeof(offset));
  const std::uint64_t size = word(sub_header + notes_at + sizeof(offset), sizeof(size));
  if (size == 0 || size > largest_notes || !file.contains(offset, size)) return;
  read_core_notes(file, offset, size, state, diagnostics);
}

// Packed files unpacked in memory, the others as they are.
std::vector<std::shared_ptr<const ByteSource>> prepare(
    std::vector<std::shared_ptr<const ByteSource>> files) {
  for (std::shared_ptr<const ByteSource>& file : files) {
    if (file->descriptor()) continue;
    auto in_memory = std::make_unique<MemoryFile>(file->name());
    copy_unpacked(*file, *in_memory);
    file = std::move(in_memory);
  }
  return files;
}

}  // namespace

GuestState open_kdump_files(std::vector<std::shared_ptr<const ByteSource>> files,
                            Diagnostics& diagnostics) {
  GuestState state;
  state.path = files.front()->name();
  state.memory_path = state.path;
  state.files = prepare(std::move(files));
  state.memory = std::make_unique<KdumpMemory>(state.files, state.path);
  Budget ranges("ranges of memory", KdumpProcess::most_ranges);
  if (!ranges.take(state.memory->ranges().size())) ranges.warn_if_exceeded(state.path, diagnostics);
  optional_fact(fmt::format("{}: what its notes hold", state.path), diagnostics,
                [&] { read_notes(*state.files.front(), state, diagnostics); });
  diagnostics.found(
      {.what =
           fmt::format("kdump file of {}", state.files.size() == 1 ? "one part" : "several parts"),
       .where = state.path,
       .how = fmt::format("{} vCPUs, {} bytes of memory in {} ranges", state.vcpus.size(),
                          state.memory->size(), state.memory->ranges().size())});
  return state;
}

}  // namespace photon_dmesg
