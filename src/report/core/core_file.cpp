#include "report/core/core_file.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/elf_notes.h"
#include "base/error.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/machines/machines.h"

namespace photon_dmesg {
namespace {

// Where file systems can share blocks, they do so between places that are multiples of theirs.
constexpr std::uint64_t data_alignment = 64 * 1024;

// e_phnum has 16 bits. PN_XNUM, which gets around that, is unknown to crash, so it is used only
// where the memory itself has more ranges.
constexpr std::size_t most_segments = PN_XNUM - 1;

// The note that tells this program's cores from others. It holds nothing that is needed.
constexpr std::string_view writer_owner = "photon-dmesg";

template <typename Struct>
std::string_view bytes_of(const Struct& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

const register_notes::Format& format_of(const Vcpu& vcpu) {
  return *architecture_of(vcpu.machine).saved_registers().notes;
}

std::string make_notes(const CoreContent& content) {
  std::string notes;
  for (std::size_t i = 0; i < content.vcpus.size(); ++i) {
    const Vcpu& vcpu = content.vcpus[i];
    const auto pid = i < content.pids.size() ? content.pids[i] : std::nullopt;
    const std::int32_t thread = pid && *pid > 0 ? *pid : thread_without_pid(vcpu);
    notes += make_elf_note(register_notes::core_owner, NT_PRSTATUS,
                           format_of(vcpu).make_prstatus(vcpu, thread));
  }
  for (const Vcpu& vcpu : content.vcpus) {
    const auto make_qemu_state = format_of(vcpu).make_qemu_state;
    if (make_qemu_state == nullptr) continue;
    notes += make_elf_note(register_notes::qemu_owner, 0, make_qemu_state(vcpu));
  }
  notes += make_elf_note(writer_owner, 0, "core");
  if (content.vmcoreinfo) {
    notes += make_elf_note(register_notes::vmcoreinfo_owner, 0, *content.vmcoreinfo);
  }
  return notes;
}

class CoreWriter {
 public:
  CoreWriter(OutputFile& file, const CoreContent& content, Diagnostics& diagnostics)
      : file_(file), content_(content), diagnostics_(diagnostics), notes_(make_notes(content)) {}

  void write() {
    const std::vector<Mapping> mappings = choose_mappings();
    const std::size_t count = 1 + content_.memory.ranges().size() + mappings.size();
    const std::uint64_t segments_end = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
    const std::string section = count > most_segments ? make_count_section(count) : std::string();
    const std::uint64_t notes_at = segments_end + section.size();
    place_ranges(notes_at + notes_.size());
    std::string head(bytes_of(make_header(content_.machine, count, segments_end)));
    Elf64_Phdr note{};
    note.p_type = PT_NOTE;
    note.p_offset = notes_at;
    note.p_filesz = notes_.size();
    head += bytes_of(note);
    for (const PhysicalRange& range : content_.memory.ranges()) head += segment_of(range);
    for (const Mapping& mapping : mappings) {
      head += make_segment(mapping.virtual_address, mapping.physical_address, mapping.size);
    }
    file_.write(0, head + section + notes_);
    copy_memory();
    file_.finish(end_);
  }

 private:
  static Elf64_Ehdr make_header(std::uint16_t machine, std::size_t segments,
                                std::uint64_t segments_end) {
    Elf64_Ehdr header{};
    std::copy_n(ELFMAG, SELFMAG, std::begin(header.e_ident));
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(header);
    header.e_ehsize = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(std::min<std::size_t>(segments, PN_XNUM));
    if (segments > most_segments) {
      header.e_shoff = segments_end;
      header.e_shentsize = sizeof(Elf64_Shdr);
      header.e_shnum = 1;
    }
    return header;
  }

  // elf(5): the first section holds the number of segments that e_phnum can't.
  std::string make_count_section(std::size_t segments) {
    diagnostics_.warn(
        fmt::format("the core has {} ranges of memory, and crash reads {} at most: gdb can read it",
                    content_.memory.ranges().size(), most_segments - 1));
    Elf64_Shdr section{};
    section.sh_info = static_cast<Elf64_Word>(segments);
    return std::string(bytes_of(section));
  }

  // The largest first, if they are too many.
  std::vector<Mapping> choose_mappings() {
    std::vector<Mapping> chosen = content_.mappings.others;
    const std::size_t taken = 1 + content_.memory.ranges().size();
    if (taken > most_segments || chosen.size() <= most_segments - taken) return chosen;
    const std::size_t room = most_segments - taken;
    std::stable_sort(chosen.begin(), chosen.end(), [](const Mapping& left, const Mapping& right) {
      return left.size > right.size;
    });
    const std::uint64_t lost = std::accumulate(
        chosen.begin() + static_cast<std::ptrdiff_t>(room), chosen.end(), std::uint64_t{0},
        [](std::uint64_t sum, const Mapping& mapping) { return sum + mapping.size; });
    diagnostics_.warn(fmt::format(
        "the core's segments can't show {} of the kernel's {} mappings, {} bytes: gdb can't read "
        "them by virtual address, crash can",
        chosen.size() - room, chosen.size(), lost));
    chosen.resize(room);
    std::sort(chosen.begin(), chosen.end(), [](const Mapping& left, const Mapping& right) {
      return left.virtual_address < right.virtual_address;
    });
    return chosen;
  }

  void place_ranges(std::uint64_t head_end) {
    std::uint64_t at = head_end;
    for (const PhysicalRange& range : content_.memory.ranges()) {
      at = (at + data_alignment - 1) / data_alignment * data_alignment;
      offsets_.push_back(at);
      at += range.size;
    }
    end_ = at;
  }

  [[nodiscard]] std::string segment_of(const PhysicalRange& range) const {
    const GuestVirtual direct = content_.mappings.direct_map.value_or(GuestVirtual{0});
    return make_segment(direct + range.begin.value, range.begin, range.size);
  }

  // p_align stays 0: by that crash takes the core for a kdump, whose registers it uses.
  [[nodiscard]] std::string make_segment(GuestVirtual virtual_address, GuestPhysical physical,
                                         std::uint64_t size) const {
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_W | PF_X;
    segment.p_offset = offset_of(physical);
    segment.p_vaddr = virtual_address.value;
    segment.p_paddr = physical.value;
    segment.p_filesz = size;
    segment.p_memsz = size;
    return std::string(bytes_of(segment));
  }

  [[nodiscard]] std::uint64_t offset_of(GuestPhysical address) const {
    const std::vector<PhysicalRange>& ranges = content_.memory.ranges();
    const auto after = std::upper_bound(
        ranges.begin(), ranges.end(), address,
        [](GuestPhysical wanted, const PhysicalRange& range) { return wanted < range.begin; });
    const auto i = static_cast<std::size_t>(after - ranges.begin()) - 1;
    return offsets_[i] + (address - ranges[i].begin);
  }

  void copy_memory() {
    const std::uint64_t total = content_.memory.size();
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      const PhysicalRange& range = content_.memory.ranges()[i];
      copy_range(range, offsets_[i], [&](std::uint64_t part) {
        diagnostics_.progress({"writing the memory", done + part, total});
      });
      done += range.size;
    }
  }

  template <typename Progress>
  void copy_range(const PhysicalRange& range, std::uint64_t offset, const Progress& progress) {
    std::uint64_t done = 0;
    while (done < range.size) {
      const auto place = content_.memory.find_in_file(range.begin + done);
      const std::uint64_t count = std::min(place ? place->length : range.size, range.size - done);
      const auto progress_on = [&](std::uint64_t part) { progress(done + part); };
      if (!place || !copy_from_file(*place, count, offset + done, progress_on)) {
        copy_by_reading(range.begin + done, count, offset + done, progress_on);
      }
      done += count;
    }
  }

  // False if some of it can't be read.
  template <typename Progress>
  bool copy_from_file(const GuestMemory::FilePlace& place, std::uint64_t count,
                      std::uint64_t offset, const Progress& progress) {
    try {
      file_.copy(*place.file, place.offset, count, offset, progress);
      return true;
    } catch (const Error& error) {
      if (error.failure() != Failure::UnusableInput) throw;
      return false;
    }
  }

  // Pages that can't be read are holes.
  template <typename Progress>
  void copy_by_reading(GuestPhysical begin, std::uint64_t count, std::uint64_t offset,
                       const Progress& progress) {
    constexpr std::uint64_t step = 1024 * 1024;
    constexpr std::uint64_t page = 4096;
    std::vector<std::byte> buffer(step);
    for (std::uint64_t done = 0; done < count; done += step) {
      const auto part = std::span(buffer).first(std::min(step, count - done));
      if (content_.memory.read(begin + done, part)) {
        file_.write_sparse(offset + done, part);
      } else {
        for (std::uint64_t at = 0; at < part.size(); at += page) {
          const auto piece = part.subspan(at, std::min<std::uint64_t>(page, part.size() - at));
          if (!content_.memory.read(begin + done + at, piece)) continue;
          file_.write_sparse(offset + done + at, piece);
        }
      }
      progress(done + part.size());
    }
  }

  OutputFile& file_;
  const CoreContent& content_;
  Diagnostics& diagnostics_;
  std::string notes_;
  std::vector<std::uint64_t> offsets_;  // of each range
  std::uint64_t end_ = 0;
};

}  // namespace

std::int32_t thread_without_pid(const Vcpu& vcpu) {
  constexpr std::int32_t past_pids = 1 << 22;  // PID_MAX_LIMIT
  return past_pids + static_cast<std::int32_t>(vcpu.index);
}

void write_core(OutputFile& file, const CoreContent& content, Diagnostics& diagnostics) {
  CoreWriter(file, content, diagnostics).write();
}

bool is_written_core(const ByteSource& beginning) {
  try {
    Elf64_Ehdr header{};
    beginning.read_at(0, std::as_writable_bytes(std::span(&header, 1)));
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
    Elf64_Phdr segment{};  // the first, which are the notes
    beginning.read_at(sizeof(Elf64_Ehdr), std::as_writable_bytes(std::span(&segment, 1)));
    ElfNotes notes(beginning, segment.p_offset, segment.p_offset + segment.p_filesz);
    for (auto note = notes.next(); note; note = notes.next()) {
      if (note->owner == writer_owner) return true;
    }
  } catch (const Error&) {
    // Cut off, or another's.
  }
  return false;
}

}  // namespace photon_dmesg
