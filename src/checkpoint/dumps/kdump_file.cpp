#include "checkpoint/dumps/kdump_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/budget.h"
#include "base/byte_reader.h"
#include "base/error.h"
#include "base/optional_fact.h"
#include "base/spool.h"
#include "checkpoint/dumps/elf_core.h"
#include "checkpoint/dumps/kdump_magic.h"
#include "checkpoint/dumps/kdump_process.h"
#include "checkpoint/guest/unreadable_memory.h"

namespace photon_dmesg {
namespace {

// A flattened dump: its magic and two numbers in a header of 4096 bytes, then pieces of the
// real file, each behind its offset and size as big-endian numbers; -1 ends them (makedumpfile(8),
// makedumpfile.h).
constexpr std::uint64_t flattened_header_bytes = 4096;
constexpr std::uint64_t flattened_end = ~std::uint64_t{0};

// A file in memory only, for a library that takes descriptors.
class MemoryFile final : public ByteSource {
 public:
  explicit MemoryFile(std::string name)
      : name_(std::move(name)), descriptor_(::memfd_create("photon-dmesg", MFD_CLOEXEC)) {
    if (descriptor_ < 0) fail();
  }
  ~MemoryFile() override { ::close(descriptor_); }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) {
    size_ = std::max(size_, offset + bytes.size());
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count <= 0) fail();
      offset += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  // Zeros up to there: they take no memory.
  void extend(std::uint64_t size) {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail();
    size_ = size;
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::optional<int> descriptor() const override { return descriptor_; }

 private:
  [[noreturn]] void fail() const {
    throw unusable(fmt::format("{}: no memory for putting it in order", name_));
  }

  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override {
    while (!target.empty()) {
      const ssize_t count =
          ::pread(descriptor_, target.data(), target.size(), static_cast<off_t>(offset));
      if (count <= 0) fail();
      offset += static_cast<std::uint64_t>(count);
      target = target.subspan(static_cast<std::size_t>(count));
    }
  }

  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

void copy(const ByteSource& source, std::uint64_t from, std::uint64_t size, MemoryFile& target,
          std::uint64_t to) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size, std::uint64_t{1} << 20));
  for (std::uint64_t done = 0; done < size; done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(buffer.size(), size - done));
    source.read_at(from + done, buffer);
    target.write(to + done, buffer);
  }
}

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
    copy(source, at, end - at, target, at);
    at = end;
  }
}

std::uint64_t read_big_endian(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  source.read_at(offset, bytes);
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

// Each piece takes whole pages, and makedumpfile writes few that are smaller than that: what is put
// in order takes little more memory than the file has bytes.
Budget memory_budget(const ByteSource& source) {
  constexpr std::uint64_t always = 64 * 1024 * 1024;
  return {"bytes of memory for putting it in order", always + 2 * source.size()};
}

std::uint64_t bytes_of_pages(std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t page = 4096;
  return (offset % page + size + page - 1) / page * page;
}

void put_in_order(const ByteSource& source, MemoryFile& target, Diagnostics& diagnostics) {
  Budget budget = memory_budget(source);
  std::uint64_t at = flattened_header_bytes;
  while (true) {
    const std::uint64_t offset = read_big_endian(source, at);
    const std::uint64_t size = read_big_endian(source, at + sizeof(offset));
    if (offset == flattened_end) return;
    at += sizeof(offset) + sizeof(size);
    // What a file of that size could not hold is damage.
    if (!source.contains(at, size) || offset > std::uint64_t{1} << 48) {
      throw unusable(fmt::format(
          "{}: truncated or damaged: expected {} bytes for offset {:#x} at {:#x}, but it ends at "
          "{:#x}",
          source.name(), size, offset, at, source.size()));
    }
    if (!budget.take(bytes_of_pages(offset, size))) {
      return budget.warn_if_exceeded(source.name(), diagnostics);
    }
    copy(source, at, size, target, offset);
    at += size;
    diagnostics.progress({fmt::format("putting {} in order", source.name()), at, source.size()});
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

// Flattened or packed files put in order in memory, the others as they are.
std::vector<std::shared_ptr<const ByteSource>> prepare(
    std::vector<std::shared_ptr<const ByteSource>> files, Diagnostics& diagnostics) {
  for (std::shared_ptr<const ByteSource>& file : files) {
    const bool flattened = is_flattened_kdump_file(*file);
    if (!flattened && file->descriptor()) continue;
    auto in_memory = std::make_unique<MemoryFile>(file->name());
    if (flattened) {
      put_in_order(*file, *in_memory, diagnostics);
    } else {
      copy_unpacked(*file, *in_memory);
    }
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
  state.files = prepare(std::move(files), diagnostics);
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
