// vmlinux as a stream, whole or as far as it is needed, and in memory; what it tells of frames; and
// the boot image.
#include "kernel/symbols/vmlinux/vmlinux.h"

#include <algorithm>

#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/types_of_use.h"
#include "kernel/symbols/vmlinux/boot_image.h"
#include "kernel/symbols/vmlinux/debug_frame.h"
#include "kernel/symbols/vmlinux/packed_sections.h"
#include "support/boot_image_builder.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {
namespace {

void ask(const KernelSymbols& symbols) {
  constexpr std::size_t most_symbols = 32;
  (void)find_types_of_use(symbols);
  (void)banner_of(symbols);
  (void)symbols.build_id();
  (void)symbols.find_static("textbuf");
  std::size_t seen = 0;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (++seen > most_symbols) return;
    (void)symbols.find_symbol(name);
    (void)symbols.find_place(address);
  });
}

void ask_for_frames(Bytes file) {
  constexpr std::uint64_t most_bytes = 16;
  const ElfImage image("vmlinux", {file.begin(), file.end()});
  const DebugFrame frames("vmlinux", read_debug_section(image, ".debug_frame"));
  image.for_each_symbol([&](std::string_view, GuestVirtual address, SymbolBinding) {
    for (std::uint64_t i = 0; i < most_bytes; ++i) (void)frames.find(address + i);
  });
}

void ask_boot_image(const std::string& image) {
  const BufferSource source("vmlinuz", test::as_bytes(image));
  SilentDiagnostics diagnostics;
  ask(*BootImage::load(source, diagnostics));
}

}  // namespace

void fuzz_vmlinux(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t choice = input.byte();
  if ((choice & 2) != 0) return ask_for_frames(input.rest());
  // The image itself, and the kernel that it unpacks.
  if ((choice & 4) != 0) return ask_boot_image(Input::as_string(input.rest()));
  if ((choice & 8) != 0) {
    constexpr std::size_t least = 15;
    std::string kernel = Input::as_string(input.rest());
    kernel.resize(std::max(kernel.size(), least));
    return ask_boot_image(test::stored_boot_image(kernel));
  }
  const bool only_needed = (choice & 1) != 0;
  const std::string file = Input::as_string(input.rest());
  test::ShortStream stream(file);
  SilentDiagnostics diagnostics;
  const auto symbols = only_needed ? Vmlinux::load_needed(stream, file.size(), diagnostics)
                                   : Vmlinux::load(stream, file.size(), diagnostics);
  if (symbols) ask(*symbols);
}

}  // namespace photon_dmesg::fuzz
