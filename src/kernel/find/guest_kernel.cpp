#include "kernel/find/guest_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.h"
#include "base/little_endian.h"
#include "base/optional_fact.h"
#include "kernel/arch/kaslr_offset.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/cross_check.h"
#include "kernel/find/guest_kallsyms.h"
#include "kernel/find/uts_namespace.h"
#include "kernel/symbols/build_id.h"

namespace photon_dmesg {
namespace {

// Of symbols without a banner, so many must be where kallsyms has them to prove all of them.
constexpr std::size_t fewest_agreeing = 32;

Error other_kernel(const KernelSymbols& symbols, const KernelBanner& found,
                   const std::string& expected) {
  return {Failure::Mismatch,
          fmt::format(R"({}: not the guest's kernel: the guest runs "{}", this is "{}")",
                      symbols.name(), found.text, expected)};
}

// Releases of Photon OS have the same name on both.
void check_architecture(const RunningKernel& running, const KernelSymbols& symbols) {
  const Architecture& guests = running.tables().architecture();
  const Architecture* own = symbols.architecture();
  if (own == nullptr || own == &guests) return;
  throw Error(Failure::Mismatch,
              fmt::format("{}: not the guest's kernel: it is of {}, and the guest runs on {}",
                          symbols.name(), own->name(), guests.name()));
}

std::optional<KernelBanner> read_banner(const GuestMemory& memory, GuestPhysical address) {
  std::string bytes(banner_bytes_limit, '\0');
  if (!memory.read(address, std::as_writable_bytes(std::span(bytes)))) {
    return std::nullopt;
  }
  return parse_banner(bytes);
}

std::optional<std::uint64_t> read_u64(const GuestMemory& memory, GuestPhysical address) {
  std::array<std::byte, 8> bytes{};
  return memory.read(address, bytes) ? std::optional(load_u64(bytes)) : std::nullopt;
}

// The banner of `running` that can be what symbols have at `linked`: `expected`, if they say which.
std::optional<FoundBanner> find_fitting_banner(const RunningKernel& running,
                                               const std::optional<KernelBanner>& expected,
                                               GuestVirtual linked, Diagnostics& diagnostics) {
  const auto fits = [&](const FoundBanner& found) {
    const Architecture::MemoryMap& map = running.tables().architecture().map();
    return (!expected || expected->text == found.banner.text) &&
           is_possible_kaslr_offset(found.address - linked, map) &&
           running.image->memory().translate(found.address);
  };
  const auto first_fitting = [&](const std::vector<FoundBanner>& banners) {
    const auto found = std::find_if(banners.begin(), banners.end(), fits);
    return found == banners.end() ? std::nullopt : std::optional(*found);
  };
  if (auto found = first_fitting(running.banners)) return found;
  return first_fitting(find_banners(*running.image, BannerExtent::All, diagnostics));
}

// Reads `address` of a kernel whose image begins at `load`, before any page table is known.
struct LoadedImage {
  GuestPhysical load;
  GuestVirtual text;  // linked

  [[nodiscard]] GuestPhysical at(GuestVirtual linked) const { return load + (linked - text); }
};

// The kernel's own tables.
std::optional<PageTables> own_tables(const Architecture& architecture, const GuestMemory& memory,
                                     const KernelSymbols& symbols, const LoadedImage& image,
                                     GuestVirtual text) {
  const auto find = [&](const char* name) {
    const std::optional<GuestVirtual> linked = symbols.find_symbol(name);
    return linked ? std::optional(image.at(*linked)) : std::nullopt;
  };
  return architecture.kernel_tables(memory, find, text);
}

// How many symbols are where the guest's own table has them. Throws Error(Mismatch) if one is not.
std::size_t count_agreeing(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const auto comparison = compare_with_kallsyms(kernel, diagnostics);
  if (!comparison) return 0;
  if (!comparison->difference) return comparison->equal;
  throw other_kernel(
      kernel.symbols(), kernel.banner(),
      fmt::format("a build without banner whose {} is at {}, where the guest's kallsyms has none",
                  comparison->difference->name, comparison->difference->address));
}

// Holds symbols that don't say which build they are of against all that the guest knows of its own
// addresses. linux_banner, phys_base and init_uts_ns tell little: they begin aligned sections, and
// stay there in builds whose functions have moved. Throws Error(Mismatch) at a contradiction.
// `running`: null if the kernel was found by its symbols.
void check_addresses(const GuestKernel& kernel, const RunningKernel* running,
                     Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> uts = kernel.find_address("init_uts_ns");
  if (!uts || !has_release(kernel.memory(), *uts, kernel.banner().release)) {
    throw other_kernel(kernel.symbols(), kernel.banner(),
                       "a build without banner whose init_uts_ns is elsewhere");
  }
  const std::size_t agreeing = count_agreeing(kernel, diagnostics);
  const bool is_proved = agreeing >= fewest_agreeing;
  if (const auto doubt = find_contradiction(kernel, is_proved ? nullptr : running)) {
    throw other_kernel(kernel.symbols(), kernel.banner(), "a build without banner whose " + *doubt);
  }
  if (is_proved) {
    diagnostics.found(
        {.what = "taken for",
         .value = kernel.banner().release,
         .where = kernel.symbols().name(),
         .how = fmt::format("it has neither a banner nor the guest's build-id, but {} "
                            "symbols are where the guest's kallsyms has them",
                            agreeing)});
    return;
  }
  diagnostics.warn_of_lack(fmt::format(
      "{}: has neither a banner nor the guest's build-id, and the guest has no kallsyms that could "
      "prove its addresses: taken for {}, as linux_banner and init_uts_ns are where it says, which "
      "they may be in other builds too",
      kernel.symbols().name(), kernel.banner().release));
}

}  // namespace

GuestKernel GuestKernel::attach(const RunningKernel& running, const KernelSymbols& symbols,
                                Diagnostics& diagnostics) {
  check_architecture(running, symbols);
  const std::optional<KernelBanner> expected = banner_of(symbols);
  const GuestVirtual linked = symbols.symbol("linux_banner");
  const auto found = find_fitting_banner(running, expected, linked, diagnostics);
  if (!found) {
    throw other_kernel(
        symbols, running.banner(),
        expected ? expected->text : fmt::format("a kernel linked with its banner at {}", linked));
  }
  const std::uint64_t kaslr_offset = found->address - linked;
  const GuestPhysical physical = running.image->memory().translate(found->address).value();
  const Architecture& architecture = running.tables().architecture();
  const std::uint64_t place = architecture.image_place(found->address.value - physical.value);
  diagnostics.found(
      {.what = "KASLR offset",
       .value = fmt::format("{:#x}", kaslr_offset),
       .how = fmt::format("the banner is at {} in the guest, linux_banner at {} in {}",
                          found->address, linked, symbols.name())});
  diagnostics.found({.what = architecture.map().place_variable,
                     .value = fmt::format("{:#x}", place),
                     .how = fmt::format("the banner is at physical {}", physical)});
  GuestKernel kernel(running.image, symbols, found->banner, kaslr_offset, place);
  kernel.check_evidence(&running, diagnostics);
  optional_fact("whether other evidence agrees", diagnostics,
                [&] { cross_check(kernel, running, diagnostics); });
  return kernel;
}

GuestKernel GuestKernel::search(const GuestMemory& memory, const KernelSymbols& symbols,
                                Diagnostics& diagnostics) {
  for (const Architecture* architecture : architectures()) {
    if (symbols.architecture() != nullptr && symbols.architecture() != architecture) continue;
    auto kernel = search_as(*architecture, memory, symbols, diagnostics);
    if (!kernel) continue;
    kernel->check_evidence(nullptr, diagnostics);
    return std::move(*kernel);
  }
  const std::optional<KernelBanner> expected = banner_of(symbols);
  throw Error(
      Failure::Mismatch,
      fmt::format("{}: not found in {}: no vCPU leads to a kernel, and its banner is nowhere "
                  "in memory",
                  expected ? expected->text : symbols.name(), memory.name()));
}

// What of a kernel's symbols search() looks for, looked up once.
struct GuestKernel::SearchedKernel {
  const KernelSymbols& symbols;
  GuestVirtual text;  // linked, as all of these
  GuestVirtual banner;
  std::optional<KernelBanner> expected;
};

std::optional<GuestKernel> GuestKernel::search_as(const Architecture& architecture,
                                                  const GuestMemory& memory,
                                                  const KernelSymbols& symbols,
                                                  Diagnostics& diagnostics) {
  const std::uint64_t alignment = architecture.map().image_alignment;
  const SearchedKernel wanted{symbols, symbols.symbol("_text"), symbols.symbol("linux_banner"),
                              banner_of(symbols)};
  const std::uint64_t total = memory.size();
  std::uint64_t done = 0;
  for (const PhysicalRange& range : memory.ranges()) {
    // A range may begin anywhere, an image only at a multiple of its alignment.
    const std::uint64_t before = (alignment - range.begin.value % alignment) % alignment;
    for (std::uint64_t at = before; at < range.size; at += alignment) {
      diagnostics.progress({"searching memory for the kernel", done + at, total});
      auto kernel = find_at(range.begin + at, architecture, memory, wanted);
      if (!kernel) continue;
      warn_of_search(range.begin + at, diagnostics);
      return kernel;
    }
    done += range.size;
  }
  return std::nullopt;
}

std::optional<GuestKernel> GuestKernel::find_at(GuestPhysical load,
                                                const Architecture& architecture,
                                                const GuestMemory& memory,
                                                const SearchedKernel& wanted) {
  const auto& [symbols, text, banner_symbol, expected] = wanted;
  const LoadedImage image{load, text};
  const std::optional<KernelBanner> banner = read_banner(memory, image.at(banner_symbol));
  if (!banner || (expected && banner->text != expected->text)) return std::nullopt;
  const Architecture::MemoryMap& map = architecture.map();
  const auto place_symbol = symbols.find_symbol(map.place_variable);
  const std::optional<std::uint64_t> place =
      place_symbol ? read_u64(memory, image.at(*place_symbol)) : std::nullopt;
  if (!place) return std::nullopt;
  const GuestVirtual run_time_text{load.value + architecture.image_shift(*place)};
  const std::uint64_t kaslr_offset = run_time_text - text;
  if (!is_possible_kaslr_offset(kaslr_offset, map)) return std::nullopt;
  const auto tables = own_tables(architecture, memory, symbols, image, run_time_text);
  if (!tables) return std::nullopt;
  return GuestKernel(std::make_shared<const KernelImage>(memory, *tables), symbols, *banner,
                     kaslr_offset, *place);
}

std::optional<GuestVirtual> GuestKernel::find_address(std::string_view symbol) const {
  return at_run_time(symbols_.find_symbol(symbol));
}

std::optional<GuestVirtual> GuestKernel::find_static(std::string_view symbol) const {
  return at_run_time(symbols_.find_static(symbol));
}

std::optional<SymbolPlace> GuestKernel::find_place(GuestVirtual address) const {
  if (!memory().tables().architecture().is_image_address(address)) return std::nullopt;
  return symbols_.find_place({address.value - kaslr_offset_});
}

std::optional<GuestVirtual> GuestKernel::at_run_time(std::optional<GuestVirtual> linked) const {
  if (!linked) return std::nullopt;
  // What is not in the image, such as a per-CPU offset, does not move with it.
  const bool moves = memory().tables().architecture().is_image_address(*linked);
  return moves ? *linked + kaslr_offset_ : *linked;
}

GuestVirtual GuestKernel::address(std::string_view symbol) const {
  return *at_run_time(symbols_.symbol(symbol));
}

std::uint64_t GuestKernel::variable(std::string_view symbol, std::size_t width) const {
  const GuestVirtual where = address(symbol);
  const std::optional<std::uint64_t> value = memory().read_unsigned(where, width);
  if (!value) {
    throw unusable(
        fmt::format("the guest's memory at {} ({}) can't be read: not mapped", where, symbol));
  }
  return *value;
}

std::optional<std::string> GuestKernel::build_id() const {
  constexpr std::uint64_t notes_limit = 64 * 1024;
  const std::optional<GuestVirtual> begin = find_address("__start_notes");
  const std::optional<GuestVirtual> end = find_address("__stop_notes");
  if (!begin || !end || *end - *begin > notes_limit) {
    return std::nullopt;
  }
  std::vector<std::byte> notes(*end - *begin);
  if (!memory().read(*begin, notes)) {
    return std::nullopt;
  }
  return find_build_id(BufferSource("the guest's notes", notes));
}

// Facts that are independent of the banner's place. A build-id that differs proves nothing, since
// debugedit rewrites it in some Photon packages.
void GuestKernel::check_evidence(const RunningKernel* running, Diagnostics& diagnostics) const {
  check_place(diagnostics);
  const std::optional<std::string> found = build_id();
  const std::optional<std::string> expected = symbols_.build_id();
  diagnostics.found(
      {.what = "build-id",
       .value = found.value_or("unknown"),
       .where = "guest",
       .how = fmt::format("it is {} in {}", expected.value_or("unknown"), symbols_.name())});
  if (symbols_.is_of_guest_itself() || banner_of(symbols_) || (found && found == expected)) return;
  check_addresses(*this, running, diagnostics);
}

const char* GuestKernel::place_variable() const {
  return memory().tables().architecture().map().place_variable;
}

void GuestKernel::check_place(Diagnostics& diagnostics) const {
  const char* const name = place_variable();
  const std::optional<GuestVirtual> address = find_address(name);
  if (!address) return;
  const std::optional<std::uint64_t> value = memory().read_unsigned(*address, 8);
  if (value == image_place_) {
    diagnostics.found({.what = fmt::format("the variable {} at {} agrees", name, *address),
                       .how = fmt::format("it holds {:#x}", image_place_)});
    return;
  }
  diagnostics.warn_of_lack(fmt::format("the variable {} at {} {}, expected {:#x}", name, *address,
                                       value ? fmt::format("holds {:#x}", *value) : "can't be read",
                                       image_place_));
}

}  // namespace photon_dmesg
