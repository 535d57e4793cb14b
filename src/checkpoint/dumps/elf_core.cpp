#include "checkpoint/dumps/elf_core.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/budget.h"
#include "base/byte_reader.h"
#include "base/elf_notes.h"
#include "base/error.h"
#include "base/optional_fact.h"
#include "checkpoint/guest/completeness.h"
#include "checkpoint/guest/memory_image.h"
#include "checkpoint/guest/register_notes.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t most_segments = 1 << 20;
constexpr std::uint32_t most_vcpus = 4096;             // more than any hypervisor offers
constexpr std::uint32_t longest_vmcoreinfo = 1 << 16;  // bytes; the kernel's is a page

template <typename Struct>
Struct read_struct(const ByteSource& source, std::uint64_t offset) {
  Struct result{};
  source.read_at(offset, std::as_writable_bytes(std::span(&result, 1)));
  return result;
}

// Takes what the notes of a core hold, each vCPU's in the order of their kind.
class NoteTaker {
 public:
  NoteTaker(const ByteSource& file, GuestState& state) : file_(file), state_(state) {}

  void take(const ElfNote& note) {
    namespace notes = register_notes;
    if (note.owner == notes::core_owner && note.type == NT_PRSTATUS && prstatus_ < most_vcpus) {
      take_prstatus(note);
    } else if (note.owner == notes::qemu_owner &&
               note.size >= offsetof(notes::QemuCpuState, kernel_gs_base) && qemu_ < most_vcpus) {
      notes::QemuCpuState qemu;
      file_.read_at(note.offset, std::as_writable_bytes(std::span(&qemu, 1))
                                     .first(std::min<std::size_t>(note.size, sizeof(qemu))));
      notes::take(qemu, vcpu(qemu_++));
    } else if (note.owner == notes::vmcoreinfo_owner) {
      const std::uint32_t size = std::min(note.size, longest_vmcoreinfo);
      ByteReader reader(file_, note.offset, note.offset + size);
      state_.vmcoreinfo = reader.text(size, "VMCOREINFO");
    }
  }

 private:
  // A dump file does not tell whose its notes are: no two machines have them of the same size.
  void take_prstatus(const ElfNote& note) {
    namespace notes = register_notes;
    if (note.size == sizeof(notes::Arm64Prstatus)) {
      notes::take(read_struct<notes::Arm64Prstatus>(file_, note.offset), vcpu(prstatus_++));
    } else if (note.size >= sizeof(notes::Prstatus)) {
      notes::take(read_struct<notes::Prstatus>(file_, note.offset), vcpu(prstatus_++));
    }
  }

  Vcpu& vcpu(std::uint32_t index) {
    if (index >= state_.vcpus.size()) {
      state_.vcpus.resize(index + 1);
      state_.vcpus[index].index = index;
    }
    return state_.vcpus[index];
  }

  const ByteSource& file_;
  GuestState& state_;
  std::uint32_t prstatus_ = 0;
  std::uint32_t qemu_ = 0;
};

// Some for each vCPU. Segments of notes may overlap.
Budget note_budget() {
  return {"notes", std::uint64_t{1} << 16};
}

void take_notes(const ByteSource& file, std::uint64_t begin, std::uint64_t size, GuestState& state,
                Budget& budget) {
  if (budget.exceeded()) return;
  ElfNotes notes(file, begin, begin + size);
  NoteTaker taker(file, state);
  std::optional<ElfNote> note = notes.next();
  for (; note && budget.take(); note = notes.next()) taker.take(*note);
}

class CoreReader {
 public:
  explicit CoreReader(const ByteSource& file)
      : file_(file), header_(read_struct<Elf64_Ehdr>(file, 0)) {
    const bool is_known = header_.e_machine == EM_X86_64 || header_.e_machine == EM_AARCH64;
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
        !is_known) {
      throw unusable(fmt::format(
          "expected the core of an x86-64 or arm64 machine, found ELF class {}, machine {}",
          header_.e_ident[EI_CLASS], header_.e_machine));
    }
    read_segments();
  }

  [[nodiscard]] MemoryLayout layout() const {
    check_physical();
    std::vector<MemoryRun> runs;
    for (const Elf64_Phdr& segment : loads_) {
      runs.push_back({{segment.p_paddr}, segment.p_offset, segment.p_filesz});
    }
    return MemoryLayout(runs);
  }

  void read_notes(GuestState& state, Diagnostics& diagnostics) const {
    Budget budget = note_budget();
    for (const Elf64_Phdr& segment : notes_) {
      take_notes(file_, segment.p_offset, segment.p_filesz, state, budget);
    }
    budget.warn_if_exceeded(file_.name(), diagnostics);
  }

 private:
  void read_segments() {
    const std::uint64_t count = segment_count();
    if (header_.e_phentsize != sizeof(Elf64_Phdr) || count > most_segments) {
      throw unusable(fmt::format("expected segments of {} bytes, found {} of {} bytes",
                                 sizeof(Elf64_Phdr), count, header_.e_phentsize));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto segment = read_struct<Elf64_Phdr>(file_, header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_LOAD && segment.p_filesz > 0) loads_.push_back(segment);
      if (segment.p_type == PT_NOTE) notes_.push_back(segment);
    }
  }

  // More than 16 bits hold stand in the first section.
  [[nodiscard]] std::uint64_t segment_count() const {
    if (header_.e_phnum != PN_XNUM) return header_.e_phnum;
    return read_struct<Elf64_Shdr>(file_, header_.e_shoff).sh_info;
  }

  void check_physical() const {
    const bool has_addresses = loads_.size() == 1 || std::any_of(loads_.begin(), loads_.end(),
                                                                 [](const Elf64_Phdr& segment) {
                                                                   return segment.p_paddr != 0;
                                                                 });
    if (loads_.empty() || !has_addresses) {
      throw unusable(
          "expected a core of physical memory, found one of virtual addresses: give the checkpoint "
          "itself, or a core from vmss2core -N");
    }
  }

  const ByteSource& file_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Phdr> loads_;
  std::vector<Elf64_Phdr> notes_;
};

}  // namespace

void read_core_notes(const ByteSource& file, std::uint64_t begin, std::uint64_t size,
                     GuestState& state, Diagnostics& diagnostics) {
  Budget budget = note_budget();
  take_notes(file, begin, size, state, budget);
  budget.warn_if_exceeded(file.name(), diagnostics);
}

bool is_elf_core(const ByteSource& source) {
  if (!source.contains(0, sizeof(Elf64_Ehdr))) return false;
  const auto header = read_struct<Elf64_Ehdr>(source, 0);
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_CORE;
}

GuestState open_elf_core(std::shared_ptr<const ByteSource> file, Completeness completeness,
                         Diagnostics& diagnostics) {
  GuestState state;
  state.path = file->name();
  state.memory_path = file->name();
  with_context(file->name(), [&] {
    const CoreReader reader(*file);
    // Without them the kernel is looked for in memory.
    optional_fact(fmt::format("{}: what its notes hold", file->name()), diagnostics,
                  [&] { reader.read_notes(state, diagnostics); });
    MemoryLayout layout = reader.layout();
    cut_to_file(state, layout, *file, completeness, diagnostics);
    state.memory = std::make_unique<MemoryImage>(*file, 0, std::move(layout));
  });
  diagnostics.found(
      {.what = "ELF core",
       .where = state.path,
       .how = fmt::format("{} vCPUs, {} ranges of memory, {} VMCOREINFO", state.vcpus.size(),
                          state.memory->ranges().size(), state.vmcoreinfo ? "with" : "without")});
  state.files.push_back(std::move(file));
  return state;
}

}  // namespace photon_dmesg
