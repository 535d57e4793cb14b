#include "fuzz/small_guest.h"

#include <algorithm>
#include <array>

#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/memory/known_layouts.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::fuzz {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t least_image_bytes = 3 * page;  // all variables
constexpr std::uint64_t most_image_bytes = 32 * page;
constexpr GuestPhysical tables_place{page};  // 0 in CR3 means none
constexpr std::uint64_t tables_end = 9 * page;
constexpr GuestPhysical zeros{8 * page};
constexpr GuestPhysical image_place = SmallGuest::image_place;
static_assert(image_place.value == tables_end);
constexpr GuestVirtual direct_map{0xffff888000000000};
// A buffer of unknown size is read in pieces of 64 KiB.
constexpr std::uint64_t pages_behind_ram = 32;

// When a symbol is there.
using Known = SmallSymbols::Known;
using IsKnown = bool (*)(const Known&);
bool always(const Known&) {
  return true;
}
bool in_ring(const Known& known) {
  return known.ring;
}
bool in_log(const Known& known) {
  return !known.ring;
}
bool with_sequence(const Known& known) {
  return !known.ring && known.sequence;
}
bool static_ring(const Known& known) {
  return known.ring && known.static_buffer;
}
bool with_static_buffer(const Known& known) {
  return known.static_buffer;
}
bool unlogged(const Known& known) {
  return known.unlogged;
}
bool console_seq(const Known& known) {
  return known.console_seq;
}
bool by_node(const Known& known) {
  return !known.console_seq && known.types;
}
bool by_next(const Known& known) {
  return !known.console_seq;
}
bool timekeeper(const Known& known) {
  return known.timekeeper;
}

struct Variable {
  std::string_view name;
  std::uint64_t offset;  // in the image
  IsKnown is_known = always;
};

// Small variables first, so that inputs begin with what decides most.
constexpr std::array variables = {
    Variable{"_text", 0x0},
    Variable{"prb", 0x0, in_ring},
    Variable{"log_buf", 0x8, in_log},
    Variable{"log_buf_len", 0x10, in_log},
    Variable{"log_first_idx", 0x18, in_log},
    Variable{"log_next_idx", 0x20, in_log},
    Variable{"log_first_seq", 0x28, with_sequence},
    Variable{"log_next_seq", 0x30, with_sequence},
    Variable{"clear_seq", 0x38},
    Variable{"console_seq", 0x50, console_seq},
    Variable{"console_list", 0x58, by_node},
    Variable{"console_drivers", 0x60, by_next},
    Variable{"logbuf_lock", 0x68, unlogged},
    Variable{"nr_cpu_ids", 0x70, unlogged},
    Variable{"__per_cpu_offset", 0x78, unlogged},
    Variable{"phys_base", 0x98},
    Variable{"__sched_clock_stable", 0xa0, timekeeper},
    Variable{"__gtod_offset", 0xa8, timekeeper},
    Variable{"watchdog_running", 0xb0, timekeeper},
    Variable{"vmware_cyc2ns", 0xb8, timekeeper},
    Variable{"__sched_clock_offset", 0xc8, timekeeper},
    Variable{"clocksource_tsc", 0xd0, timekeeper},
    Variable{"vmcoreinfo_data", 0xd8},
    Variable{"saved_command_line", 0xe0},
    Variable{"sysctl_bootid", 0xe8},
    Variable{"printk_rb_static", 0x100, static_ring},
    Variable{"_printk_rb_static_descs", 0x180},
    Variable{"_printk_rb_static_infos", 0x300},
    Variable{"__log_buf", 0x880, with_static_buffer},
    Variable{"larger_buffer", 0xc80},
    Variable{"tk_core", 0x1080, timekeeper},
    Variable{"consoles", 0x1180},
    Variable{"init_uts_ns", 0x1280},
    Variable{"linux_banner", 0x1480},
    Variable{"safe_print_seq", 0x1500, unlogged},
    Variable{"nmi_print_seq", 0x1600, unlogged},
    Variable{"cont", 0x1700, unlogged},
    Variable{"textbuf", 0x1b80, unlogged},
    Variable{"free_space", 0x2000},  // for what a seed has besides
};

const Variable& find_variable(std::string_view name) {
  const auto* found = std::find_if(variables.begin(), variables.end(),
                                   [&](const Variable& each) { return each.name == name; });
  require(found != variables.end(), "the small guest has all variables that are asked for");
  return *found;
}

// Buffers are known by their place in the direct map, so that zeros lie behind all memory.
GuestVirtual address_of(const Variable& variable) {
  const bool in_direct_map = variable.name == "__log_buf";
  return in_direct_map ? direct_map + image_place.value + variable.offset
                       : x86_64::linked_text + variable.offset;
}

std::uint64_t in_pages(std::uint64_t bytes) {
  return std::clamp((bytes + page - 1) / page * page, least_image_bytes, most_image_bytes);
}

// The tables of a guest with so large an image. Making them takes longer than most runs.
const std::string& tables_for(std::uint64_t image_bytes) {
  static std::array<std::string, most_image_bytes / page + 1> made;
  std::string& tables = made.at(image_bytes / page);
  if (!tables.empty()) return tables;
  test::FakeMemory memory(tables_end);
  test::PageTableBuilder builder(memory, tables_place, PagingLevels::Four);
  for (std::uint64_t at = 0; at < image_bytes; at += page) {
    builder.map(x86_64::linked_text + at, image_place + at);
  }
  const std::uint64_t ram = image_place.value + image_bytes;
  for (std::uint64_t at = 0; at < ram + pages_behind_ram * page; at += page) {
    builder.map(direct_map + at, at < ram ? GuestPhysical{at} : zeros);
  }
  tables.resize(tables_end - tables_place.value);
  (void)memory.read(tables_place, std::as_writable_bytes(std::span(tables)));
  return tables;
}

StructLayout with_caller(const StructLayout& layout) {
  std::vector<MemberLayout> members = layout.members();
  members.push_back({"caller_id", layout.size(), 4});
  return {layout.name(), layout.size() + 8, std::move(members)};
}

const StructLayout* ring_struct(const RingLayouts& layouts, std::string_view name) {
  for (const StructLayout* layout :
       {&layouts.ring, &layouts.descriptor_ring, &layouts.data_ring, &layouts.descriptor,
        &layouts.block, &layouts.info, &layouts.device_info}) {
    if (layout->name() == name) return layout;
  }
  return nullptr;
}

// As since 6.13.
const StructLayout& console_with_thread() {
  static const StructLayout layout("console", 128,
                                   {{"name", 0, 16},
                                    {"flags", 72, 2},
                                    {"seq", 88, 8},
                                    {"node", 104, 16},
                                    {"nbcon_seq", 120, 8}});
  return layout;
}

}  // namespace

SmallGuest::SmallGuest(Bytes content)
    : memory_(image_place.value + in_pages(content.size())),
      image_bytes_(in_pages(content.size())) {
  memory_.write_text(tables_place, tables_for(image_bytes_));
  memory_.write(image_place, content.first(std::min<std::size_t>(content.size(), image_bytes_)));
}

GuestPhysical SmallGuest::at(std::string_view symbol) const {
  return image_place + find_variable(symbol).offset;
}

GuestVirtual SmallGuest::address(std::string_view symbol) const {
  return address_of(find_variable(symbol));
}

Vcpu SmallGuest::vcpu() const {
  Vcpu vcpu;
  vcpu.x86.cr[0] = x86_64::cr0_paging;
  vcpu.x86.cr[3] = tables_place.value;
  vcpu.x86.cr[4] = 0;
  vcpu.x86.rip = x86_64::linked_text;
  return vcpu;
}

RunningKernel SmallGuest::running() const {
  const PageTables tables = x86_64::page_tables(memory_, tables_place, PagingLevels::Four);
  const FoundBanner found{*parse_banner(std::string(banner) + '\0'), address("linux_banner")};
  return {{found}, std::make_shared<const KernelImage>(memory_, tables), 0, {}};
}

std::string SmallGuest::content() const {
  std::string bytes(image_bytes_, '\0');
  (void)memory_.read(image_place, std::as_writable_bytes(std::span(bytes)));
  bytes.resize(bytes.find_last_not_of('\0') + 1);
  return bytes;
}

SmallSymbols::SmallSymbols(const Known& known) : known_(known) {}

std::optional<GuestVirtual> SmallSymbols::find_symbol(std::string_view name) const {
  for (const Variable& variable : variables) {
    if (variable.name == name && variable.is_known(known_)) return address_of(variable);
  }
  return std::nullopt;
}

void SmallSymbols::for_each_symbol(const SymbolVisit& visit) const {
  for (const Variable& variable : variables) {
    if (variable.is_known(known_)) {
      visit(variable.name, address_of(variable), SymbolBinding::Global);
    }
  }
}

const StructLayout* SmallSymbols::find_struct(std::string_view name) const {
  static const StructLayout log_with_caller = with_caller(known_printk_log_layout());
  if (!known_.types) return nullptr;
  const auto rings = known_ring_layouts();
  const auto conts = known_cont_layouts();
  if (name == "cont") return &conts[known_.variant % conts.size()];
  if (name == "console") return &console_with_thread();
  if (name == "printk_log" && !known_.ring) {
    return known_.variant % 2 == 0 ? &known_printk_log_layout() : &log_with_caller;
  }
  return known_.ring ? ring_struct(rings[known_.variant % rings.size()].layouts, name) : nullptr;
}

}  // namespace photon_dmesg::fuzz
