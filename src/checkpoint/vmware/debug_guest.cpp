#include "checkpoint/vmware/debug_guest.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/byte_reader.h"
#include "base/error.h"
#include "checkpoint/guest/completeness.h"
#include "checkpoint/guest/memory_image.h"
#include "checkpoint/guest/register_notes.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/debug_guest_format.h"
#include "checkpoint/vmware/packed_memory.h"
#include "checkpoint/vmware/tag_file.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {
namespace {

namespace format = vmware::debug_guest;

// More than VMware offers, so that damage can't exhaust memory.
constexpr std::uint32_t most_vcpus = 4096;

struct Header {
  const format::Version* version = nullptr;
  std::uint32_t vcpus = 0;
  std::uint64_t end = 0;    // of guest-physical memory
  std::uint64_t pages = 0;  // of RAM
  std::vector<PhysicalRange> holes;
  std::uint64_t first_vcpu_at = 0;
  std::uint32_t architecture = format::x86_architecture;

  [[nodiscard]] std::uint64_t vcpu_bytes() const {
    return format::control_bytes + version->vcpu_gap + sizeof(register_notes::Prstatus::registers) +
           format::reserved_bytes;
  }
  [[nodiscard]] std::uint64_t file_bytes() const { return first_vcpu_at + vcpus * vcpu_bytes(); }
};

std::uint32_t read_architecture(const ByteSource& file, const format::Version& version) {
  constexpr std::uint64_t description_bytes = 56;
  return ByteReader(file, version.memory_at + description_bytes, file.size())
      .u32("the architecture");
}

// Nothing if `file` is no debug.guest.
std::optional<Header> read_header(const ByteSource& file) {
  constexpr std::uint64_t shortest = 128;
  if (!file.contains(0, shortest)) return std::nullopt;
  ByteReader reader(file);
  Header header;
  const std::uint32_t number = reader.u32("the version");
  const auto* found =
      std::find_if(format::versions.begin(), format::versions.end(),
                   [&](const format::Version& version) { return version.number == number; });
  header.vcpus = reader.u32("the number of vCPUs");
  if (found == format::versions.end() || header.vcpus == 0 || header.vcpus > most_vcpus) {
    return std::nullopt;
  }
  header.version = found;
  const std::size_t width = found->narrow_counts ? sizeof(std::uint32_t) : sizeof(std::uint64_t);
  reader.skip(found->memory_at - reader.position(), "the header");
  header.end = reader.u64("the last address") + 1;
  header.pages = reader.unsigned_of(width, "the number of pages");
  reader.skip(sizeof(std::uint32_t), "reserved bytes");
  const std::uint32_t holes = reader.u32("the number of holes");
  if (holes > format::most_holes) return std::nullopt;
  std::uint64_t pages = header.pages;
  for (std::uint32_t i = 0; i < holes; ++i) {
    const std::uint64_t first = reader.unsigned_of(width, "a hole's first PPN");
    const std::uint64_t count = reader.unsigned_of(width, "a hole's pages");
    header.holes.push_back({{first * vmware::page_bytes}, count * vmware::page_bytes});
    pages += count;
  }
  constexpr std::uint64_t narrow_hole_bytes = 8;
  header.first_vcpu_at =
      found->first_vcpu_at + (found->narrow_counts ? holes * narrow_hole_bytes : 0);
  const bool adds_up = header.end == pages * vmware::page_bytes && header.end != 0;
  if (!adds_up) return std::nullopt;
  if (found->names_architecture) header.architecture = read_architecture(file, *found);
  // How long an arm64 vCPU is nobody knows.
  const bool fits =
      header.architecture == format::arm64_architecture || file.size() == header.file_bytes();
  return fits ? std::optional(header) : std::nullopt;
}

// RAM is what is left between the holes; the memory file holds it without them.
MemoryLayout layout_of(const Header& header) {
  std::vector<PhysicalRange> holes = header.holes;
  std::sort(holes.begin(), holes.end(), [](const PhysicalRange& left, const PhysicalRange& right) {
    return left.begin < right.begin;
  });
  std::vector<MemoryRun> runs;
  GuestPhysical at{0};
  std::uint64_t offset = 0;
  holes.push_back({{header.end}, 0});
  for (const PhysicalRange& hole : holes) {
    if (hole.begin < at || hole.begin.value > header.end) {
      throw unusable(fmt::format("expected holes one behind the other below {:#x}, found one at {}",
                                 header.end, hole.begin));
    }
    if (hole.begin != at) runs.push_back({at, offset, hole.begin - at});
    offset += hole.begin - at;
    at = hole.begin + hole.size;
  }
  return MemoryLayout(runs);
}

Vcpu read_vcpu(const ByteSource& file, const Header& header, std::uint32_t index) {
  Vcpu vcpu;
  vcpu.index = index;
  if (header.architecture == format::arm64_architecture) {
    vcpu.machine = Machine::Aarch64;
    return vcpu;
  }
  const std::uint64_t at = header.first_vcpu_at + index * header.vcpu_bytes();
  ByteReader reader(file, at, at + header.vcpu_bytes());
  vcpu.x86.cr[0] = reader.u32("CR0");
  for (const std::size_t number : {2U, 3U, 4U})
    vcpu.x86.cr[number] = reader.u64("a control register");
  constexpr std::uint64_t unknown_words = 10;
  reader.skip(unknown_words * sizeof(std::uint64_t), "registers");
  vcpu.x86.idt_base = GuestVirtual{reader.u64("the IDT's base")};
  reader.skip(header.version->vcpu_gap, "registers");
  register_notes::Prstatus status;
  for (std::uint64_t& value : status.registers) value = reader.u64("a register");
  register_notes::take(status, vcpu);
  return vcpu;
}

std::shared_ptr<const ByteSource> open_memory_beside(const ByteSource& file, const FileTree& tree,
                                                     Diagnostics& diagnostics) {
  const auto beside = find_companion(tree, file.name(), {"vmem"});
  if (!beside) {
    throw unusable(fmt::format("{}: there is no .vmem of that name beside it: name the memory file",
                               file.name()));
  }
  return open_guest_file(tree, *beside, diagnostics);
}

// What is shorter may have been cut, what is longer is another guest's.
void check_memory_file_size(const ByteSource& memory, const ByteSource& file, const Header& header,
                            Completeness completeness) {
  const std::uint64_t expected = header.pages * vmware::page_bytes;
  const bool may_be_cut = completeness == Completeness::NotRequired && memory.size() > 0;
  if (memory.size() == expected || (memory.size() < expected && may_be_cut)) return;
  throw Error(Failure::Mismatch,
              fmt::format("{}: {} describes {} bytes of memory, found {}: it is not its memory, or "
                          "an incomplete copy of it",
                          memory.name(), file.name(), expected, memory.size()));
}

}  // namespace

bool is_debug_guest(const ByteSource& source) {
  return read_header(source).has_value();
}

GuestState open_debug_guest(std::shared_ptr<const ByteSource> file,
                            std::shared_ptr<const ByteSource> memory_file, const FileTree& tree,
                            Completeness completeness, Diagnostics& diagnostics) {
  const std::optional<Header> header = read_header(*file);
  if (!header) throw unusable(fmt::format("{}: not a debug.guest file", file->name()));
  if (header->architecture != format::x86_architecture &&
      header->architecture != format::arm64_architecture) {
    throw unusable(fmt::format(
        "{}: expected the guest of an x86 or arm64 host (architecture {} or "
        "{}), found {}",
        file->name(), format::x86_architecture, format::arm64_architecture, header->architecture));
  }
  GuestState state;
  state.path = file->name();
  MemoryLayout layout = with_context(file->name(), [&] { return layout_of(*header); });
  for (std::uint32_t i = 0; i < header->vcpus; ++i) {
    state.vcpus.push_back(read_vcpu(*file, *header, i));
  }
  if (!memory_file) memory_file = open_memory_beside(*file, tree, diagnostics);
  refuse_encrypted(*memory_file);
  memory_file = unpack_memory(std::move(memory_file), diagnostics);
  check_memory_file_size(*memory_file, *file, *header, completeness);
  cut_to(memory_file->size(),
         fmt::format("{}: incomplete: {} describes {} bytes of memory, found {}",
                     memory_file->name(), file->name(), layout.image_size(), memory_file->size()),
         state, layout, diagnostics);
  diagnostics.found(
      {.what = "debug.guest version",
       .value = fmt::format("{}", header->version->number),
       .where = state.path,
       .how = fmt::format("{}, {} vCPUs, {} holes in memory{}", header->version->product,
                          header->vcpus, header->holes.size(),
                          header->architecture == format::arm64_architecture
                              ? ", arm64, whose registers are in no form that is known"
                              : "")});
  state.memory_path = memory_file->name();
  state.memory = std::make_unique<MemoryImage>(*memory_file, 0, std::move(layout));
  state.files.push_back(std::move(file));
  state.files.push_back(std::move(memory_file));
  return state;
}

}  // namespace photon_dmesg
