#include "kernel/symbols/vmlinux/needed_sections.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/stream_reader.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/kallsyms_parser.h"
#include "kernel/symbols/types_of_use.h"
#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/dwarf_types.h"
#include "kernel/symbols/vmlinux/elf_writer.h"
#include "kernel/symbols/vmlinux/section_marks.h"

namespace photon_dmesg {
namespace {

// That the file is not made as expected is no Error of the file.
struct Unrecognised {
  std::string expected;
};

void expect(bool condition, const char* what) {
  if (!condition) throw Unrecognised{what};
}

template <typename Struct>
Struct copy_of(std::span<const std::byte> bytes) {
  Struct value{};
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// A compile unit that is wanted.
struct Unit {
  std::uint64_t offset = 0;  // in .debug_info
  UnitHeader header;         // no size: it has not come by
  std::size_t place = 0;     // in what is kept of .debug_info
};

// What is kept of any section is bounded by several times the most that kernels have.
constexpr std::uint64_t most_kept = 256 * 1024 * 1024;
constexpr std::size_t scan_bytes = std::size_t{1024} * 1024;
constexpr std::size_t room_for_headers = 4096;  // of the sections of a file that is made

class SectionWalk {
 public:
  explicit SectionWalk(ByteStream& stream) : input_(stream) {}

  NeededSections run() {
    read_headers();
    read_segments();
    read_aranges();
    read_units();
    read_abbreviations();
    skip_line_programs();
    skip_frames();
    read_strings();
    // What has been put into a file is not kept beside it.
    std::vector<std::byte> units = finish_units();
    read_symbols();
    read_names();
    return {image_.finish(), std::move(units), *function_};
  }

 private:
  void read_headers() {
    constexpr std::uint16_t most_segments = 64;
    const auto bytes = input_.take(sizeof(Elf64_Ehdr), "an ELF header");
    header_ = copy_of<Elf64_Ehdr>(bytes);
    architecture_ = find_elf_architecture(header_.e_machine);
    expect(std::memcmp(header_.e_ident, ELFMAG, SELFMAG) == 0 &&
               header_.e_ident[EI_CLASS] == ELFCLASS64 && architecture_ != nullptr &&
               header_.e_phoff == sizeof(Elf64_Ehdr) && header_.e_phnum <= most_segments &&
               header_.e_phentsize == sizeof(Elf64_Phdr),
           "an executable of a known machine with program headers behind its header");
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      const auto entry = copy_of<Elf64_Phdr>(input_.take(sizeof(Elf64_Phdr), "a program header"));
      if (entry.p_type == PT_LOAD && entry.p_filesz > 0) segments_.push_back(entry);
      if (entry.p_type == PT_NOTE) notes_ = entry;
    }
    std::sort(segments_.begin(), segments_.end(),
              [](const Elf64_Phdr& left, const Elf64_Phdr& right) {
                return left.p_offset < right.p_offset;
              });
  }

  // The parts of the file that are loaded into memory, of which no two are kept at a time.
  void read_segments() {
    expect(!segments_.empty(), "a kernel image, not debug information alone");
    std::uint64_t size = 0;
    Budget budget = kallsyms_budget();
    for (const Elf64_Phdr& header : segments_) {
      expect(header.p_offset >= input_.position(), "segments one behind the other");
      expect(header.p_offset < most_kept && header.p_filesz < most_kept - size,
             "segments of an image that a kernel can have");
      size += header.p_filesz;
      input_.skip(header.p_offset - input_.position(), "padding");
      const std::vector<std::byte> bytes = input_.take(header.p_filesz, "a segment");
      if (!function_) find_functions(header, bytes, budget);
      keep_notes(header, bytes);
      keep_banners(header, bytes);
    }
    expect(function_.has_value(), "kallsyms in its image");
    expect(has_notes_, "notes in its image");
  }

  [[nodiscard]] bool is_code(GuestVirtual address) const {
    return std::any_of(segments_.begin(), segments_.end(), [&](const Elf64_Phdr& segment) {
      return (segment.p_flags & PF_X) != 0 && address.value - segment.p_vaddr < segment.p_filesz;
    });
  }

  [[nodiscard]] bool fits_image(const KallsymsTable& table) const {
    const auto function = table.find(printk_function);
    const auto text = table.find("_stext");
    return function && text && is_code(*function) && is_code(*text) && *text <= *function;
  }

  // Where printk and what else names a unit are, by the kernel's own table.
  void find_functions(const Elf64_Phdr& segment, std::span<const std::byte> bytes, Budget& budget) {
    const GuestVirtual begin{segment.p_vaddr};
    if (!architecture_->is_image_address(begin)) return;
    const auto table = parse_kallsyms(
        bytes, begin, budget, [&](const KallsymsTable& found) { return fits_image(found); });
    if (!table) return;
    function_ = table->find(printk_function);
    for (const std::string_view name : functions_of_use()) {
      if (const auto function = table->find(name)) functions_.push_back(*function);
    }
  }

  void keep_notes(const Elf64_Phdr& segment, std::span<const std::byte> bytes) {
    const std::uint64_t inside = notes_.p_offset - segment.p_offset;
    if (inside >= bytes.size() || notes_.p_filesz > bytes.size() - inside) return;
    image_.add_loaded(".notes", SHT_NOTE, {notes_.p_vaddr},
                      bytes.subspan(static_cast<std::size_t>(inside), notes_.p_filesz));
    has_notes_ = true;
  }

  void keep_banners(const Elf64_Phdr& segment, std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (std::size_t at = find_banner_prefix(text, 0); at != std::string_view::npos;
         at = find_banner_prefix(text, at + 1)) {
      if (!parse_banner(text.substr(at))) continue;
      constexpr std::size_t most_banners = 16;
      expect(++banners_ <= most_banners, "one banner in its image");
      image_.add_loaded(".banner", SHT_PROGBITS, {segment.p_vaddr + at},
                        bytes.subspan(at, std::min(banner_bytes_limit, bytes.size() - at)));
    }
  }

  // .debug_aranges follows the image, if need be behind .comment.
  void read_aranges() {
    constexpr std::uint64_t furthest = scan_bytes;
    const std::uint64_t begin = input_.position();
    while (!is_first_aranges_header(input_.peek(section_mark_bytes))) {
      expect(input_.position() - begin < furthest, ".debug_aranges behind the image");
      input_.skip(1, ".debug_aranges");
    }
    std::vector<std::byte> aranges;
    std::optional<std::uint64_t> last_unit;
    while (const auto header = parse_aranges_header(input_.peek(section_mark_bytes))) {
      if (last_unit && header->unit <= *last_unit) break;  // a unit of .debug_info that looks alike
      last_unit = header->unit;
      input_.append_to(aranges, header->size, "address ranges");
      expect(aranges.size() < most_kept, "the end of .debug_aranges");
    }
    choose_units(BufferSource(".debug_aranges", aranges));
  }

  void choose_units(const ByteSource& aranges) {
    const auto printk_unit = find_unit_offset(aranges, *function_);
    expect(printk_unit.has_value(), "printk's unit in .debug_aranges");
    printk_unit_ = *printk_unit;
    std::set<std::uint64_t> offsets = {printk_unit_};
    for (const GuestVirtual function : functions_) {
      if (const auto unit = find_unit_offset(aranges, function)) offsets.insert(*unit);
    }
    for (const std::uint64_t offset : offsets) units_.push_back({offset, {}, 0});
  }

  void read_units() {
    const std::uint64_t begin = input_.position();
    auto wanted = units_.begin();
    while (const auto header = parse_unit_header(input_.peek(section_mark_bytes))) {
      last_abbreviations_ = std::max(last_abbreviations_, header->abbreviations);
      const std::uint64_t offset = input_.position() - begin;
      while (wanted != units_.end() && wanted->offset < offset) ++wanted;
      if (wanted != units_.end() && wanted->offset == offset) {
        wanted->header = *header;
        wanted->place = info_.size();
        expect(header->size < most_kept - info_.size(), "units that a kernel can have");
        input_.append_to(info_, header->size, "a compile unit");
      } else {
        input_.skip(header->size, "a compile unit");
      }
    }
    std::erase_if(units_, [](const Unit& unit) { return unit.header.size == 0; });
    const bool has_printk = std::any_of(units_.begin(), units_.end(), [&](const Unit& unit) {
      return unit.offset == printk_unit_;
    });
    expect(has_printk, "printk's unit in .debug_info");
  }

  std::uint64_t take_uleb(std::vector<std::byte>& bytes) {
    constexpr std::byte more{0x80};
    constexpr std::size_t longest = 10;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < longest; ++i) {
      const std::byte byte = input_.take_some(1, "an abbreviation").front();
      bytes.push_back(byte);
      value |= std::to_integer<std::uint64_t>(byte & ~more) << (7 * std::min<std::size_t>(i, 9));
      if ((byte & more) == std::byte{0}) return value;
    }
    throw Unrecognised{"abbreviations in .debug_abbrev"};
  }

  // One unit's table of abbreviations (DWARF 5, 7.5.3).
  std::vector<std::byte> take_abbreviations() {
    constexpr std::uint64_t implicit_const = 0x21;  // DW_FORM_implicit_const
    constexpr std::size_t longest = std::size_t{1024} * 1024;
    std::vector<std::byte> bytes;
    while (take_uleb(bytes) != 0) {
      expect(bytes.size() < longest, "abbreviations in .debug_abbrev");
      (void)take_uleb(bytes);                                      // the tag
      bytes.push_back(input_.take_some(1, "an abbreviation")[0]);  // whether it has children
      while (true) {
        const std::uint64_t name = take_uleb(bytes);
        const std::uint64_t form = take_uleb(bytes);
        if (name == 0 && form == 0) break;
        if (form == implicit_const) (void)take_uleb(bytes);
      }
    }
    return bytes;
  }

  // The tables stand in the order of the units that use them, so the last one ends the section.
  void read_abbreviations() {
    const std::uint64_t begin = input_.position();
    std::optional<std::uint64_t> last;
    const auto take_table = [&](std::uint64_t offset) {
      const std::uint64_t inside = input_.position() - begin;
      expect(inside <= offset, "tables in .debug_abbrev one behind the other");
      input_.skip(offset - inside, ".debug_abbrev");
      last = offset;
      return take_abbreviations();
    };
    std::size_t place = 0;
    for (const Unit& unit : units_) {
      if (unit.header.abbreviations != last) {
        place = abbreviations_.size();
        const std::vector<std::byte> table = take_table(unit.header.abbreviations);
        abbreviations_.insert(abbreviations_.end(), table.begin(), table.end());
      }
      set_abbreviations(unit, place);
    }
    if (last != last_abbreviations_) (void)take_table(last_abbreviations_);
  }

  // Their tables are the only ones there are now.
  void set_abbreviations(const Unit& unit, std::size_t place) {
    for (std::size_t i = 0; i < sizeof(std::uint32_t); ++i) {
      info_.at(unit.place + unit.header.abbreviations_place + i) =
          static_cast<std::byte>(place >> 8 * i);
    }
  }

  void skip_line_programs() {
    while (const auto size = find_line_program(input_.peek(section_mark_bytes))) {
      input_.skip(*size, ".debug_line");
    }
  }

  // .debug_frame, if there is one.
  void skip_frames() {
    const auto padding = static_cast<std::size_t>((8 - input_.position() % 8) % 8);
    const std::span<const std::byte> first = input_.peek(padding + section_mark_bytes);
    if (first.size() < padding || !is_first_frame(first.subspan(padding))) return;
    input_.skip(padding, "padding");
    const std::uint64_t begin = input_.position();
    while (const auto size =
               find_frame(input_.peek(section_mark_bytes), input_.position() - begin)) {
      input_.skip(*size, ".debug_frame");
    }
  }

  // .debug_str ends where text ends: no string has control characters in it, and no two are empty.
  // Text of other sections behind it does no harm, as strings are referred to by their offset.
  void read_strings() {
    constexpr std::size_t step = 4096;
    while (true) {
      const std::span<const std::byte> bytes = input_.peek(step);
      const std::span<const std::byte> text = bytes.first(count_text_bytes(bytes));
      strings_.insert(strings_.end(), text.begin(), text.end());
      expect(strings_.size() < most_kept, "the end of .debug_str");
      const bool ended = text.size() + most_zeros < bytes.size() || text.empty();
      input_.skip(text.size(), ".debug_str");
      if (ended) return;
    }
  }

  void go_to_symbols() {
    constexpr std::size_t pattern = 3 * sizeof(Elf64_Sym);
    input_.skip((8 - input_.position() % 8) % 8, "padding");
    while (true) {
      const std::span<const std::byte> bytes = input_.peek(scan_bytes);
      expect(bytes.size() >= pattern, "a symbol table with the sections' symbols");
      const std::size_t found = find_symbol_table(bytes);
      if (found < bytes.size()) return input_.skip(found, "debug information");
      input_.skip((bytes.size() - pattern) / 8 * 8 + 8, "debug information");
    }
  }

  [[nodiscard]] bool is_symbol(const Elf64_Sym& symbol) const {
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    return symbol.st_name < most_kept && (binding <= STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (type <= STT_TLS || type == STT_GNU_IFUNC) && symbol.st_other <= STV_PROTECTED &&
           (symbol.st_shndx < header_.e_shnum || symbol.st_shndx >= SHN_LORESERVE);
  }

  void read_symbols() {
    go_to_symbols();
    std::vector<std::byte> symbols;
    while (true) {
      const std::span<const std::byte> bytes = input_.peek(sizeof(Elf64_Sym));
      if (bytes.size() < sizeof(Elf64_Sym)) break;
      const auto symbol = copy_of<Elf64_Sym>(bytes);
      if (!is_symbol(symbol)) break;
      last_name_ = std::max(last_name_, symbol.st_name);
      symbols.insert(symbols.end(), bytes.begin(), bytes.end());
      expect(symbols.size() < most_kept, "the end of the symbol table");
      input_.skip(bytes.size(), "a symbol");
    }
    image_.add_symbols(symbols);
  }

  // They follow the symbols, and end with the name that begins last.
  void read_names() {
    std::vector<std::byte> names = input_.take(last_name_, "the symbols' names");
    std::vector<std::byte> last;
    do {
      last.push_back(input_.take_some(1, "a symbol's name").front());
    } while (last.back() != std::byte{0});
    names.reserve(names.size() + last.size());
    names.insert(names.end(), last.begin(), last.end());
    expect(names.front() == std::byte{0}, "the symbols' names behind the symbols");
    image_.add_symbol_names(names);
  }

  // printk's unit comes first; what one refers to in another is not read, so their order is free.
  void put_printk_first() {
    const auto printk = std::find_if(units_.begin(), units_.end(),
                                     [&](const Unit& unit) { return unit.offset == printk_unit_; });
    const auto begin = info_.begin() + static_cast<std::ptrdiff_t>(printk->place);
    std::rotate(info_.begin(), begin, begin + static_cast<std::ptrdiff_t>(printk->header.size));
  }

  std::vector<std::byte> finish_units() {
    put_printk_first();
    ElfWriter units;
    units.reserve(info_.size() + abbreviations_.size() + strings_.size() + room_for_headers);
    units.add(".debug_info", SHT_PROGBITS, std::exchange(info_, {}));
    units.add(".debug_abbrev", SHT_PROGBITS, std::exchange(abbreviations_, {}));
    units.add(".debug_str", SHT_PROGBITS, std::exchange(strings_, {}));
    return units.finish();
  }

  StreamReader input_;
  Elf64_Ehdr header_{};
  const Architecture* architecture_ = nullptr;
  Elf64_Phdr notes_{};
  bool has_notes_ = false;
  std::size_t banners_ = 0;
  std::vector<Elf64_Phdr> segments_;
  std::optional<GuestVirtual> function_;  // printk's
  std::vector<GuestVirtual> functions_;   // whose units are wanted
  std::uint64_t printk_unit_ = 0;         // where it begins in .debug_info
  std::vector<Unit> units_;               // by where they begin
  std::vector<std::byte> info_;           // their bytes, one behind the other
  std::uint64_t last_abbreviations_ = 0;  // in .debug_abbrev
  std::vector<std::byte> abbreviations_;
  std::vector<std::byte> strings_;
  std::uint32_t last_name_ = 0;  // of the symbols, where it begins in their names
  ElfWriter image_;
};

}  // namespace

std::optional<NeededSections> read_needed_sections(ByteStream& stream, std::string& why) {
  try {
    return SectionWalk(stream).run();
  } catch (const Unrecognised& reason) {
    why = reason.expected;
  } catch (const Error& error) {
    why = fmt::format("it whole ({})", error.what());  // or a length that is none was believed
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
