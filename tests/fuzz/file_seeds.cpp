#include <elf.h>

#include <array>
#include <memory>

#include "checkpoint/guest/register_notes.h"
#include "fuzz/seeds.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "support/archive_packer.h"
#include "support/archive_writer.h"
#include "support/boot_image_builder.h"
#include "support/checkpoint_builder.h"
#include "support/cpio_writer.h"
#include "support/debug_guest_builder.h"
#include "support/elf_core_builder.h"
#include "support/file_content.h"
#include "support/gzip_writer.h"
#include "support/iso_builder.h"
#include "support/lime_builder.h"
#include "support/linux_kernel.h"
#include "support/memory_pages.h"
#include "support/open_vmlinux.h"
#include "support/packed_memory_builder.h"
#include "support/profile_writer.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::fuzz {
namespace {

using test::block_tag;
using test::elf_note;
using test::inline_tag;
using test::little_endian;

std::string numbers(std::uint64_t first, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += little_endian(first + i, 8);
  return bytes;
}

void make_checkpoints(const PutSeed& put) {
  const std::string head = little_endian(8, 1) + little_endian(0, 1);  // 8 pages beside it
  const std::string alone = little_endian(0, 2);
  const std::string regions = test::region_tags({{0, 0, 4}, {16, 4, 4}});
  const std::string one_by_one =
      inline_tag("cpu:numVCPUs", {}, 2) + inline_tag("rax", {0}, 0x11, 8) +
      inline_tag("rsp", {1}, 0x22, 8) + inline_tag("rip", {1}, 0xffffffff81000000, 8) +
      inline_tag("CR64", {1, 3}, 0x1234000, 8) + inline_tag("IDTR", {1, 1}, 0x1000, 4) +
      inline_tag("S", {1, 1}, 0x10) + inline_tag("S.base64", {1, 4}, 0x7f00, 8) +
      inline_tag("eflags", {1}, 0x2);
  const std::string blocks =
      inline_tag("cpu:numVCPUs", {}, 1) + block_tag("gpregs", {0}, numbers(0x100, 16)) +
      block_tag("CR64", {0}, numbers(0x200, 9)) +
      block_tag("IDTR", {0}, little_endian(0xfff, 2) + little_endian(0xfffffe0000000000, 8)) +
      inline_tag("rip", {0}, 0x300, 8);
  const std::string texts = block_tag("ProductName", {}, "VMware ESX") +
                            block_tag("VersionNumber", {}, "7.0.3") + inline_tag("memSize", {}, 1) +
                            inline_tag("Platform", {}, 1);
  const std::string configuration =
      block_tag("cfgFile", {}, "displayName = \"Photon\"\nmemSize = \"1\"\n");
  put("checkpoint", "registers",
      head +
          test::checkpoint_file({{"Checkpoint", texts}, {"cpu", one_by_one}, {"memory", regions}}));
  put("checkpoint", "blocks",
      head + test::checkpoint_file({{"cpu", blocks},
                                    {"memory", regions},
                                    {"Snapshot", configuration},
                                    {"MKSVMX", block_tag("imageData", {}, "\x89PNG")}}));
  put("checkpoint", "monolithic",
      alone +
          test::checkpoint_file(
              {{"cpu", one_by_one},
               {"memory", test::region_tags({{0, 0, 1}}) + inline_tag("align_mask", {}, 0xffff) +
                              block_tag("Memory", {0, 0}, std::string(4096, 'm'))}}));
  put("checkpoint", "old",
      head + test::checkpoint_file(
                 {{"memory", regions + block_tag("x", {1, 2, 3}, "text", {62, 4, 3}), false}},
                 0xbed0bed0));
}

std::string prstatus() {
  Vcpu vcpu;
  vcpu.x86.rip = GuestVirtual{0xffffffff81234567};
  vcpu.x86.cr[3] = 0x2000;
  return elf_note("CORE", NT_PRSTATUS, test::bytes_of(register_notes::make_prstatus(vcpu, 1))) +
         elf_note("QEMU", 0, test::bytes_of(register_notes::make_qemu_state(vcpu)));
}

void make_guest_files(const PutSeed& put) {
  const std::string alone = little_endian(0, 2);
  const std::string beside = little_endian(8, 2);
  const std::string notes = prstatus() + elf_note("VMCOREINFO", 0, "OSRELEASE=4.4.8\n");
  put("guest-files", "core",
      alone + test::elf_core({{0, std::string(64, 'm')}, {0x1000, std::string(64, 'n')}}, notes));
  put("guest-files", "core-overlapping",
      alone + test::elf_core({{0x20, std::string(32, 'm')}, {0, std::string(128, 'n')}}));
  put("guest-files", "lime",
      alone + test::lime_range(4096, std::string(64, 'm')) +
          test::lime_range(32768, std::string(64, 'n')));
  put("guest-files", "memory", alone + test::numbered_pages(1));
  for (const test::DebugGuestForm& form : test::debug_guest_forms) {
    put("guest-files", "debug-guest-" + std::to_string(form.version),
        beside + test::debug_guest(form, 1, 8, {{4, 2}}));
  }
}

// makedumpfile's format (its diskdump_mod.h), of a machine with some pages, of which one is there.
std::string kdump() {
  constexpr std::size_t block = 4096;
  constexpr std::uint64_t pages = 16;
  const std::string notes = prstatus();
  const std::string info = "OSRELEASE=6.1.10-1.ph5\nPAGESIZE=4096\n";
  std::string file = "KDUMP   " + little_endian(6, 4);
  const auto name = [&](const std::string& text) {
    std::string field = text;
    field.resize(65);
    file += field;
  };
  for (const char* text : {"Linux", "photon", "6.1.10-1.ph5", "#1", "x86_64", ""}) name(text);
  file.resize(424);
  for (const std::uint64_t number : {1UL, block, 1UL, 2UL, pages, 0UL, 0UL, 1UL, 0UL, 1UL}) {
    file += little_endian(number, 4);
  }
  file.resize(block);
  const std::uint64_t notes_at = block + 256;
  std::string sub_header = little_endian(0, 8) + little_endian(31, 4) + little_endian(0, 4) +
                           numbers(0, 2) + little_endian(notes_at + notes.size(), 8) +
                           little_endian(info.size(), 8) + little_endian(notes_at, 8) +
                           little_endian(notes.size(), 8) + little_endian(0, 16) +
                           little_endian(0, 8) + little_endian(pages, 8) + little_endian(pages, 8);
  sub_header.resize(256);
  file += sub_header + notes + info;
  file.resize(2 * block);
  for (const char bitmap : {'\x03', '\x02'}) {
    file += bitmap;
    file.resize(file.size() / block * block + block);
  }
  constexpr std::uint64_t descriptor_bytes = 24;
  return file + little_endian(file.size() + descriptor_bytes, 8) + little_endian(block, 4) +
         little_endian(0, 4) + little_endian(0, 8) + std::string(block, 'p');
}

std::string big_endian(std::uint64_t value) {
  const std::string bytes = little_endian(value, 8);
  return {bytes.rbegin(), bytes.rend()};
}

void make_kdumps(const PutSeed& put) {
  const std::string plain = kdump();
  put("kdump", "plain", plain);
  std::string flattened = std::string("makedumpfile\0\0\0\0", 16) + big_endian(1) + big_endian(1);
  flattened.resize(4096);
  for (std::size_t at = 0; at < plain.size(); at += 8192) {
    const std::string part = plain.substr(at, 8192);
    flattened += big_endian(at) + big_endian(part.size()) + part;
  }
  put("kdump", "flattened", flattened + big_endian(~0ULL) + big_endian(~0ULL));
}

void make_payloads(const PutSeed& put) {
  std::string content;
  for (int i = 0; i < 200; ++i) content += "line " + std::to_string(i * i) + "\n";
  // As targets/payload.cpp takes it: which one is named, and how much comes at once.
  const auto head = [](unsigned named) { return little_endian(named, 1) + little_endian(99, 1); };
  put("payload", "gzip", head(0) + test::gzip(content));
  put("payload", "gzip-twice", head(0) + test::gzip(content) + test::gzip("again"));
  put("payload", "zstd", head(1) + test::pack(content, archive_write_add_filter_zstd));
  put("payload", "xz", head(2) + test::pack(content, archive_write_add_filter_xz));
  put("payload", "bzip2", head(3) + test::pack(content, archive_write_add_filter_bzip2));
  put("payload", "lzma", head(4) + test::pack(content, archive_write_add_filter_lzma));
  put("payload", "cpio", head(5) + test::newc("./a", "x") + test::trailer);
}

void make_packages(const PutSeed& put) {
  const std::filesystem::path folder = PACKAGE_FOLDER;
  for (const char* payload : {"w6.gzdio", "w3.zstdio", "w0.xzdio", "w1.bzdio"}) {
    put("rpm", payload,
        little_endian(0, 1) + test::file_content(folder / (std::string(payload) + ".rpm")));
  }
  put("rpm", "cpio",
      little_endian(1, 1) + test::newc("./usr", "", test::cpio_folder) + test::newc("./a", "x") +
          test::newc("./b", "12345678") + test::trailer);
  put("rpm", "cpio-stripped",
      little_endian(1, 1) + test::stripped(0, "") + test::stripped(1, "vmlinux") + test::trailer);
}

void make_isos(const PutSeed& put) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "photon.iso";
  test::write_iso(
      path, {{"isolinux/boot.cat", "boot"},
             {"DEBUGRPMS/x86_64/linux-esx-debuginfo-4.19.325-1.ph3.x86_64.rpm", "the package"}});
  // Without what images begin and end with that means nothing.
  std::string image = test::file_content(path).substr(32768);
  image.resize(image.find_last_not_of('\0') + 1);
  put("iso", "rock-ridge", image);
}

void make_bundles(const PutSeed& put) {
  const std::vector<test::ArchivedFile> vm = {
      {"vm/vm.vmx", "checkpoint.vmState = \"vm-1.vmsn\"\n"},
      {"vm/vm-1.vmsn", test::checkpoint_file({})},
      {"vm/vm-1.vmem", std::string(8192, '\0') + "memory"},
      {"../vmware.log", "2026-11-25T02:10:01.000Z In(05) vmx - Log\n"}};
  const std::string ahead = little_endian(1, 1);
  const std::string inner = test::write_archive(vm, "tar", "gzip");
  for (const char* format : {"tar", "pax", "zip", "7zip"}) {
    put("bundle", format, ahead + test::write_archive(vm, format));
    put("bundle", std::string("outer-") + format,
        ahead + test::write_archive({{"inner.tgz", inner}, {"a", "b"}}, format));
  }
  for (const char* packing : {"gzip", "zstd", "xz", "bzip2"}) {
    put("bundle", packing, ahead + test::write_archive(vm, "tar", packing));
  }
  put("bundle", "inner-zip",
      ahead + test::write_archive({{"inner.zip", test::write_archive(vm, "zip")}}, "tar"));
  put("bundle", "encrypted", ahead + test::write_archive(vm, "zip", "", "password"));
}

void make_packed_memory(const PutSeed& put) {
  test::FastlzWriter writer;
  writer.literals(std::string(100, 'a') + "bcdef").match(3, 5).match(8, 1).match(300, 7);
  writer.match(12, 90).match(265, 100);
  put("packed-memory", "fastlz",
      little_endian(1, 1) + little_endian(writer.text().size(), 2) + little_endian(0, 3) +
          writer.packed());
  test::FastlzWriter reaching("0123456789");
  reaching.literals("x").match(6, 11);
  put("packed-memory", "fastlz-before",
      little_endian(1, 1) + little_endian(7, 2) + little_endian(0, 1) + little_endian(10, 2) +
          "0123456789" + reaching.packed());
  const test::FastlzWriter first = test::full_block("first");
  put("packed-memory", "blocks",
      little_endian(2, 1) + test::packed_block(first.packed(), test::block_size) +
          test::packed_block("the end", 7));
  put("packed-memory", "one-block",
      little_endian(0, 1) + test::packed_block(writer.packed(), writer.text().size()));
}

void make_vmlinux(const PutSeed& put) {
  const std::string whole = little_endian(0, 1);
  for (const auto& [name, path] : {std::pair{"ring", PRINTK_RINGBUFFER_KERNEL},
                                   {"log-dwarf4", CALLER_LOG_KERNEL},
                                   {"types-dwarf2", TYPES_DWARF2_KERNEL},
                                   {"dwarf-loops", DWARF_LOOPS_KERNEL},
                                   {"zlib", COMPRESSED_KERNEL},
                                   {"zstd", ZSTD_COMPRESSED_KERNEL},
                                   {"stripped", STRIPPED_KERNEL}}) {
    put("vmlinux", name, whole + test::file_content(path));
  }
  put("vmlinux", "call-frames", little_endian(2, 1) + test::file_content(CALL_FRAMES_KERNEL));
  put("vmlinux", "call-frames-packed",
      little_endian(2, 1) + test::file_content(CALL_FRAMES_COMPRESSED_KERNEL));
  const std::string kernel = test::BootKernel{.form = test::kallsyms_forms[7]}.elf();
  put("vmlinux", "boot-image",
      little_endian(4, 1) + test::boot_image(test::with_size(
                                test::pack(kernel, archive_write_add_filter_zstd), kernel.size())));
  put("vmlinux", "boot-kernel", little_endian(8, 1) + kernel);
  put("vmlinux", "needed", little_endian(1, 1) + test::kernel_with_kallsyms(LINUX_DWARF5_KERNEL));
}

void make_symbols(const PutSeed& put) {
  put("symbols", "system-map",
      little_endian(0, 1) +
          "0000000000000000 D __per_cpu_start\nffffffff81000000 T _text\n"
          "ffffffff81000040 t twice\nffffffff81000080 t twice\nffffffff81000100 d prevailing\n"
          "ffffffff81000200 D prevailing\nffffffff81000300 b textbuf.1\nffffffff82000000 b prb\n");
  const auto vmlinux = test::open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const std::vector<std::byte> store =
      make_symbol_store(*vmlinux, "6.1.10-1.ph5", "photon.iso: linux.rpm");
  put("symbols", "store", little_endian(1, 1) + test::as_text(store));
  put("symbols", "profile", little_endian(2, 1) + test::json_profile(*vmlinux));
  const std::string text = little_endian(3, 1);
  put("symbols", "banner",
      text +
          "Linux version 4.4.8 (root@photon) (gcc version 5.3.0) #1-photon SMP Thu Jun 9 "
          "21:51:19 UTC 2016\n" +
          '\0');
  put("symbols", "vmcoreinfo",
      text +
          "OSRELEASE=6.1.10-1.ph5\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff82a14a00\n"
          "SYMBOL(_stext)=ffffffff81000000\nNUMBER(phys_base)=-1000\nKERNELOFFSET=1a000000\n" +
          '\0');
  put("symbols", "build-id", text + elf_note("GNU", NT_GNU_BUILD_ID, "01234567890123456789"));
  put("symbols", "host-log",
      text +
          "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
          "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] Kernel panic\r\n"
          "2026-11-25T02:10:03.000Z| vcpu-1| I125: Guest: <4>[   20.000100] CPU: 1\n");
}

}  // namespace

void make_file_seeds(const PutSeed& put) {
  make_checkpoints(put);
  make_guest_files(put);
  make_kdumps(put);
  make_payloads(put);
  make_packages(put);
  make_bundles(put);
  make_isos(put);
  make_packed_memory(put);
  make_vmlinux(put);
  make_symbols(put);
}

}  // namespace photon_dmesg::fuzz
