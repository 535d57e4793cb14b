#include "kernel/symbols/vmlinux/debug_frame.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "base/byte_reader.h"
#include "base/error.h"
#include "kernel/symbols/vmlinux/elf_image.h"
#include "kernel/symbols/vmlinux/elfutils.h"
#include "kernel/symbols/vmlinux/packed_sections.h"

namespace photon_dmesg {
namespace {

// Several times the instructions that lead to every place of a kernel that is asked for.
constexpr std::uint64_t most_steps = std::uint64_t{1} << 24;

}  // namespace

std::unique_ptr<DebugFrame> DebugFrame::open(const std::filesystem::path& path) {
  const ElfImage image(path);
  std::vector<std::byte> section = read_debug_section(image, ".debug_frame");
  if (section.empty()) return nullptr;
  return std::make_unique<DebugFrame>(image.name(), std::move(section));
}

DebugFrame::DebugFrame(std::string name, std::vector<std::byte> section)
    : bytes_(std::move(section)),
      section_(std::move(name), bytes_),
      steps_("call frame instructions", most_steps) {
  index();
}

// What the section holds is listed once; what stands behind an entry without a length is lost.
void DebugFrame::index() {
  std::array<unsigned char, EI_NIDENT> identity{};
  identity[EI_CLASS] = ELFCLASS64;
  identity[EI_DATA] = ELFDATA2LSB;
  Elf_Data data{};
  data.d_buf = bytes_.data();
  data.d_size = bytes_.size();
  data.d_version = EV_CURRENT;
  const auto range_of = [&](const std::uint8_t* begin, const std::uint8_t* end) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes_.data());
    return FileRange{static_cast<std::uint64_t>(begin - first),
                     static_cast<std::uint64_t>(end - begin)};
  };
  struct Entry {
    std::uint64_t common;
    FileRange range;
  };
  std::vector<Entry> functions;
  Dwarf_Off next = 0;
  while (next < bytes_.size()) {
    const Dwarf_Off offset = next;
    Dwarf_CFI_Entry entry{};
    const int result =
        elfutils().dwarf_next_cfi(identity.data(), &data, false, offset, &next, &entry);
    if (result > 0 || next <= offset) break;
    if (result < 0) continue;
    if (!dwarf_cfi_cie_p(&entry)) {
      functions.push_back({entry.fde.CIE_pointer, range_of(entry.fde.start, entry.fde.end)});
    } else if (*entry.cie.augmentation == '\0') {  // others move what follows
      common_[offset] = {
          entry.cie.code_alignment_factor, entry.cie.data_alignment_factor,
          range_of(entry.cie.initial_instructions, entry.cie.initial_instructions_end)};
    }
  }
  functions_.reserve(functions.size());
  for (const Entry& entry : functions) add_function(entry.common, entry.range);
  std::sort(functions_.begin(), functions_.end(),
            [](const Function& left, const Function& right) { return left.begin < right.begin; });
}

// `entry` begins with the function's address and size; the program follows.
void DebugFrame::add_function(std::uint64_t common, FileRange entry) {
  constexpr std::uint64_t head = 2 * sizeof(std::uint64_t);
  if (entry.size < head || !common_.contains(common)) return;
  ByteReader reader(section_, entry.offset, entry.offset + entry.size);
  Function function;
  function.begin = {reader.u64("a function's address")};
  function.size = reader.u64("a function's size");
  function.program = {entry.offset + head, entry.size - head};
  function.common = common;
  functions_.push_back(function);
}

std::optional<CallFrame> DebugFrame::find(GuestVirtual address) const {
  const auto [known, is_new] = known_.try_emplace(address.value);
  if (is_new) known->second = look_up(address);
  return known->second;
}

std::optional<CallFrame> DebugFrame::look_up(GuestVirtual address) const {
  const auto behind = std::upper_bound(
      functions_.begin(), functions_.end(), address,
      [](GuestVirtual value, const Function& function) { return value < function.begin; });
  if (behind == functions_.begin()) return std::nullopt;
  const Function& function = *std::prev(behind);
  if (address - function.begin >= function.size) return std::nullopt;
  try {
    return FrameRules(section_, common_.at(function.common), steps_)
        .run(function.program, address - function.begin);
  } catch (const Error&) {
    return std::nullopt;  // frame pointers, if there are any, tell it too
  }
}

}  // namespace photon_dmesg
