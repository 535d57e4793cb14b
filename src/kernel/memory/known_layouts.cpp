#include "kernel/memory/known_layouts.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace photon_dmesg {
namespace {

// What differs between the variants, in bytes.
struct RingVariant {
  std::uint64_t descriptor_ring_size;
  std::uint64_t device_info_offset;
  std::uint64_t info_size;
};

constexpr std::uint64_t word = 8;

RingLayouts make_ring_layouts(const RingVariant& variant) {
  constexpr std::uint64_t data_ring_size = 32;
  constexpr std::uint64_t device_info_size = 64;
  const std::uint64_t data_ring = variant.descriptor_ring_size;
  const std::uint64_t fail = data_ring + data_ring_size;
  return {
      {"printk_ringbuffer",
       fail + word,
       {{"desc_ring", 0, variant.descriptor_ring_size},
        {"text_data_ring", data_ring, data_ring_size},
        {"fail", fail, word}}},
      {"prb_desc_ring",
       variant.descriptor_ring_size,
       {{"count_bits", 0, 4},
        {"descs", 8, word},
        {"infos", 16, word},
        {"head_id", 24, word},
        {"tail_id", 32, word}}},
      {"prb_data_ring",
       data_ring_size,
       {{"size_bits", 0, 4}, {"data", 8, word}, {"head_lpos", 16, word}, {"tail_lpos", 24, word}}},
      {"prb_desc", 24, {{"state_var", 0, word}, {"text_blk_lpos", 8, 2 * word}}},
      {"prb_data_blk_lpos", 2 * word, {{"begin", 0, word}, {"next", 8, word}}},
      {"printk_info",
       variant.info_size,
       {{"seq", 0, word},
        {"ts_nsec", 8, word},
        {"text_len", 16, 2},
        {"facility", 18, 1},
        {"flags", 19, 1, 0, 5},
        {"level", 19, 1, 5, 3},
        {"caller_id", 20, 4},
        {"dev_info", variant.device_info_offset, device_info_size}}},
      {"dev_printk_info", device_info_size, {{"subsystem", 0, 16}, {"device", 16, 48}}},
  };
}

// Those of a structure that every record goes through, by its name.
std::vector<const StructLayout*> known_layouts_of(std::string_view name) {
  std::vector<const StructLayout*> found;
  for (const KnownRingLayouts& known : known_ring_layouts()) {
    const RingLayouts& all = known.layouts;
    for (const StructLayout* layout : {&all.ring, &all.descriptor_ring, &all.data_ring,
                                       &all.descriptor, &all.block, &all.info, &all.device_info}) {
      if (layout->name() == name) found.push_back(layout);
    }
  }
  if (name == "printk_log" || name == "log") found.push_back(&known_printk_log_layout());
  return found;
}

bool is_laid_out_as(const StructLayout& layout, const StructLayout& known) {
  // CONFIG_PRINTK_CALLER makes a printk_log longer.
  const bool is_extended =
      layout.find("caller_id") != nullptr && known.find("caller_id") == nullptr;
  if (layout.size() != known.size() && !is_extended) return false;
  return std::all_of(
      known.members().begin(), known.members().end(), [&](const MemberLayout& member) {
        const MemberLayout* found = layout.find(member.name);
        return found != nullptr && found->offset == member.offset && found->size == member.size &&
               found->bit_shift == member.bit_shift && found->bit_width == member.bit_width;
      });
}

}  // namespace

std::span<const KnownRingLayouts> known_ring_layouts() {
  // prb_desc_ring grew by last_finalized_id (later _seq) between 5.10 and 6.1; printk_info by
  // caller_id2 and comm with CONFIG_PRINTK_EXECUTION_CTX in 7.x. Both are in every record's way, so
  // each combination stands here.
  static const std::array known = {
      KnownRingLayouts{"6.1 and later", make_ring_layouts({48, 24, 88})},
      KnownRingLayouts{"5.10", make_ring_layouts({40, 24, 88})},
      KnownRingLayouts{"7.x with CONFIG_PRINTK_EXECUTION_CTX", make_ring_layouts({48, 44, 112})},
  };
  return known;
}

const StructLayout& known_printk_log_layout() {
  static const StructLayout layout("printk_log", 16,
                                   {{"ts_nsec", 0, word},
                                    {"len", 8, 2},
                                    {"text_len", 10, 2},
                                    {"dict_len", 12, 2},
                                    {"facility", 14, 1},
                                    {"flags", 15, 1, 0, 5},
                                    {"level", 15, 1, 5, 3}});
  return layout;
}

std::span<const StructLayout> known_cont_layouts() {
  // The buffer's size, LOG_LINE_MAX, has had three values. Up to 4.8 the number of bytes that the
  // console has got stands behind the length; from 5.1 on a caller's number in the owner's place.
  static const std::vector<StructLayout> layouts = [] {
    std::vector<StructLayout> all;
    for (const std::uint64_t line : {944U, 976U, 992U}) {
      all.emplace_back("cont", line + 48,
                       std::vector<MemberLayout>{{"buf", 0, line},
                                                 {"len", line, word},
                                                 {"owner", line + 16, word},
                                                 {"ts_nsec", line + 24, word},
                                                 {"level", line + 32, 1},
                                                 {"flushed", line + 40, 1, 0, 1}});
      all.emplace_back("cont", line + 32,
                       std::vector<MemberLayout>{{"buf", 0, line},
                                                 {"len", line, word},
                                                 {"ts_nsec", line + 16, word},
                                                 {"level", line + 24, 1}});
    }
    return all;
  }();
  return layouts;
}

std::span<const SafeBufferLayout> known_safe_buffer_layouts() {
  constexpr std::uint64_t largest = std::uint64_t{1} << 17;
  static constexpr std::array layouts = {SafeBufferLayout{32, largest},
                                         SafeBufferLayout{40, largest}};
  return layouts;
}

bool is_as_known(const StructLayout& layout) {
  const std::vector<const StructLayout*> known = known_layouts_of(layout.name());
  return known.empty() || std::any_of(known.begin(), known.end(), [&](const StructLayout* other) {
           return is_laid_out_as(layout, *other);
         });
}

std::span<const TimekeeperLayout> known_timekeeper_layouts() {
  // The clock source's read function left tk_read_base in 4.13, and base_real came; 6.13 moved the
  // raw clock behind what every reader needs.
  static constexpr std::array layouts = {
      TimekeeperLayout{"4.14 to 6.12", 112, 120, 128, 144, 152, 56, 16, 28, 32, 40},
      TimekeeperLayout{"4.1 to 4.12", 112, 120, 128, 144, 152, 56, 24, 36, 40, 48},
      TimekeeperLayout{"6.13 and later", 56, 64, 72, 88, 96, 120, 16, 28, 32, 40},
  };
  return layouts;
}

const StructLayout& known_console_layout() {
  // 5.19 to 7.3. `next` is a pointer until 6.3 and the first word of `node` since; `nbcon_seq` came
  // with 6.6, and stands here in all kernels that have drivers which use it (6.12 and 7.3).
  static const StructLayout layout("console", 176,
                                   {{"name", 0, 16},
                                    {"flags", 72, 2},
                                    {"seq", 88, word},
                                    {"next", 112, word},
                                    {"nbcon_seq", 168, word}});
  return layout;
}

}  // namespace photon_dmesg
