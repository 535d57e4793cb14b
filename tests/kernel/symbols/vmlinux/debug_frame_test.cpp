#include "kernel/symbols/vmlinux/debug_frame.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "kernel/symbols/vmlinux/elf_image.h"
#include "kernel/symbols/vmlinux/packed_sections.h"
#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

// The fixture's labels.
GuestVirtual address_of(const char* label) {
  static const ElfImage image{std::filesystem::path(CALL_FRAMES_KERNEL)};
  const auto address = image.find_symbol(label);
  REQUIRE(address);
  return *address;
}

// "rsp+16, rbp at -16": as the fixture's comments and readelf say it.
std::string text_of(const std::optional<CallFrame>& frame) {
  if (!frame) return "nothing";
  std::string text =
      fmt::format("{}+{}", frame->base == CallFrame::Base::Sp ? "rsp" : "rbp", frame->offset);
  if (frame->saved_bp) text += fmt::format(", rbp at {}", *frame->saved_bp);
  return text;
}

}  // namespace

TEST_CASE("debug frame: where the caller's frame is at each instruction, in every kind of file") {
  for (const char* kernel :
       {CALL_FRAMES_KERNEL, CALL_FRAMES_COMPRESSED_KERNEL, CALL_FRAMES_ZSTD_KERNEL}) {
    CAPTURE(kernel);
    const auto frames = DebugFrame::open(kernel);
    REQUIRE(frames != nullptr);
    CHECK(frames->count() == 10);
    const auto at = [&](const char* label, std::uint64_t offset = 0) {
      return text_of(frames->find(address_of(label) + offset));
    };
    CHECK(at("with_pointer") == "rsp+8");
    CHECK(at("pushed") == "rsp+16, rbp at -16");
    CHECK(at("made") == "rbp+16, rbp at -16");
    CHECK(at("left") == "rsp+8");
    CHECK(at("still_made") == "rbp+16, rbp at -16");
    CHECK(at("still_made", 1) == "rsp+8, rbp at -16");
    CHECK(at("small") == "rsp+32");
    CHECK(at("small", 200) == "rsp+32");
    CHECK(at("larger") == "rsp+40");
    CHECK(at("large") == "rsp+48");
    CHECK(at("largest") == "rsp+56");
    CHECK(at("wordy") == "rsp+24, rbp at -24");
  }
}

TEST_CASE("debug frame: nothing of what is not told, or in other ways than by rsp and rbp") {
  const auto frames = DebugFrame::open(CALL_FRAMES_KERNEL);
  REQUIRE(frames != nullptr);
  for (const char* label :
       {"by_other_register", "by_expression", "lost_pointer", "pointer_elsewhere", "no_caller",
        "unknown_instruction", "restores_too_much", "untold", "do_syslog"}) {
    CAPTURE(label);
    CHECK_FALSE(frames->find(address_of(label)));
  }
  for (const std::uint64_t address : {std::uint64_t{0}, ~std::uint64_t{0}}) {
    CHECK_FALSE(frames->find({address}));
  }
}

TEST_CASE("debug frame: a compiler's own, where a frame pointer is kept") {
  const auto frames = DebugFrame::open(LINUX_DWARF5_KERNEL);
  REQUIRE(frames != nullptr);
  const auto function =
      ElfImage(std::filesystem::path(LINUX_DWARF5_KERNEL)).find_symbol("do_syslog");
  REQUIRE(function);
  CHECK(text_of(frames->find(*function)) == "rsp+8");
}

TEST_CASE("debug frame: a vmlinux without it") {
  CHECK(DebugFrame::open(WITHOUT_DWARF_KERNEL) == nullptr);
}

TEST_CASE("debug frame: damage anywhere tells other frames or nothing") {
  const std::vector<std::byte> sound =
      read_debug_section(ElfImage(std::filesystem::path(CALL_FRAMES_KERNEL)), ".debug_frame");
  std::vector<GuestVirtual> addresses;
  for (const char* label : {"made", "left", "largest", "wordy"}) {
    addresses.push_back(address_of(label));
  }
  std::size_t changed = 0;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    for (const std::byte flip : {std::byte{0x01}, std::byte{0x80}, std::byte{0xff}}) {
      std::vector<std::byte> damaged = sound;
      damaged[i] ^= flip;
      const DebugFrame frames("damaged", damaged);
      for (const GuestVirtual address : addresses) {
        changed += text_of(frames.find(address)) == "nothing" ? 1 : 0;
      }
    }
  }
  CHECK(changed > 0);
  for (std::size_t size = 0; size < sound.size(); ++size) {
    const DebugFrame frames("cut",
                            {sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size)});
    for (const GuestVirtual address : addresses) (void)frames.find(address);
  }
}

}  // namespace photon_dmesg::test
