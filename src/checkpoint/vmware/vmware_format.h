#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// What VMware's checkpoint files look like: magics, group and tag names, encodings. Everything that
// is VMware's stands here, so that a new variant is an edit of this file. Sources: the crash
// utility's vmware_vmss.{c,h} (written by VMware), Volatility 2's and 3's VMware layers, and the
// published vmwareinfo listing of an ESX 4.1 suspend file.
namespace photon_dmesg::vmware {

// Width of the lengths inside a block tag.
enum class LengthWidth : std::size_t { Bits32 = 4, Bits64 = 8 };

struct Magic {
  std::uint32_t value;
  LengthWidth lengths;
  std::string_view meaning;
};

// 0xbed0bed0 is the old magic in VMware's own reader, 0xbed2bed0 in Volatility's: both are taken.
inline constexpr std::array magics = {
    Magic{0xbed2bed2, LengthWidth::Bits64, "checkpoint"},
    Magic{0xbed3bed3, LengthWidth::Bits64, "partial checkpoint"},
    Magic{0xbad1bad1, LengthWidth::Bits64, "checkpoint already restored"},
    Magic{0xbad2bad2, LengthWidth::Bits64, "checkpoint not to be restored"},
    Magic{0xbed0bed0, LengthWidth::Bits32, "old checkpoint"},
    Magic{0xbed2bed0, LengthWidth::Bits32, "old checkpoint"},
};

// The clear header of an encrypted VM's checkpoint or memory ("encobj").
inline constexpr std::uint32_t encrypted_magic = 0x8943dd9e;

struct EncryptedFile {
  std::uint32_t version;  // the word behind the magic
  std::string_view what;
};
inline constexpr std::array encrypted_files = {
    EncryptedFile{1, "the checkpoint"},
    EncryptedFile{2, "the memory"},
};

// Header: u32 magic, u32 version (not to be validated: no reader does), u32 number of groups.
inline constexpr std::size_t header_bytes = 12;

// Group table entry: char name[64], u64 position of the first tag, u64 size (0: unknown).
inline constexpr std::size_t group_name_bytes = 64;
inline constexpr std::size_t group_entry_bytes = 80;

// Tag: u8 flags, u8 name length, the name, the indices (u32 each), the value.
inline constexpr unsigned index_count_shift = 6;
inline constexpr std::uint8_t value_size_mask = 0x3f;
// Value sizes with another meaning: the value is a block with lengths of its own. crash and
// Joyent's mdb agree that 62 is compressed; vmsnparser has the two the other way round.
inline constexpr std::uint8_t compressed_block = 62;
inline constexpr std::uint8_t plain_block = 63;

namespace group {
inline constexpr std::string_view checkpoint = "Checkpoint";
inline constexpr std::string_view cpu = "cpu";
inline constexpr std::string_view memory = "memory";
inline constexpr std::string_view screen = "MKSVMX";
inline constexpr std::string_view snapshot = "Snapshot";
}  // namespace group

namespace tag {
// Checkpoint
inline constexpr std::string_view memory_size_mib = "memSize";
inline constexpr std::string_view platform = "Platform";
inline constexpr std::string_view product_name = "ProductName";
inline constexpr std::string_view product_version = "VersionNumber";
// MKSVMX: the screen as a PNG file; Snapshot: the text of the .vmx file
inline constexpr std::string_view screenshot = "imageData";
inline constexpr std::string_view configuration = "cfgFile";
// memory; the region tags count pages of 4096 bytes and have the region as index
inline constexpr std::string_view region_count = "regionsCount";
inline constexpr std::string_view region_ppn = "regionPPN";
inline constexpr std::string_view region_page_number = "regionPageNum";
inline constexpr std::string_view region_size = "regionSize";
inline constexpr std::string_view align_mask = "align_mask";
inline constexpr std::string_view memory_block = "Memory";
// cpu; the vCPU is the first index
inline constexpr std::string_view cpu_count = "cpu:numVCPUs";
inline constexpr std::string_view general_registers = "gpregs";
inline constexpr std::string_view control_registers = "CR64";
inline constexpr std::string_view interrupt_table = "IDTR";
inline constexpr std::string_view segment_selectors = "S";
inline constexpr std::string_view segment_bases = "S.base64";
inline constexpr std::string_view instruction_pointer = "rip";
inline constexpr std::array<std::string_view, 2> flags = {"eflags", "EFLAGS"};
// cpu, of arm64 machines: parts of names, in lower case. LeechCore knows "hv:ttbrEL1[0]"; all else
// is a guess by it, so what these hold is a hint to be proved.
inline constexpr std::string_view translation_table = "ttbr";
inline constexpr std::string_view translation_control = "tcr";
inline constexpr std::string_view exception_level = "el1";
}  // namespace tag

inline constexpr std::uint64_t page_bytes = 4096;

// Of tag::platform; x86 is 1 (LiveCloudKd's reader is the only source).
inline constexpr std::uint64_t platform_arm64 = 3;

// Where RAM begins under VMware's firmware for arm64 (LeechCore; addresses in oopses of such
// guests). Nothing is known of a hole in it.
inline constexpr std::uint64_t arm64_memory_begin = 0x80000000;

// RAM that does not fit below the PCI hole goes on at 4 GiB; the memory file has no hole (published
// layouts of ESX 4.1 and Workstation).
inline constexpr std::uint64_t low_memory_end = 0xc0000000;
inline constexpr std::uint64_t high_memory_begin = 0x100000000;

// Order of the segments in S and S.base64 (crash: enum SegmentName).
inline constexpr std::size_t segment_cs = 1;
inline constexpr std::size_t segment_ss = 2;
inline constexpr std::size_t segment_fs = 4;
inline constexpr std::size_t segment_gs = 5;

}  // namespace photon_dmesg::vmware
