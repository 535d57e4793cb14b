#include "session/other_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "checkpoint/vmware/host_log.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {
namespace {

using namespace std::string_view_literals;

// Recognised by `magic` at `offset`.
struct Entry {
  std::uint64_t offset;
  std::string_view magic;
  OtherFile file;
};

constexpr std::string_view unpack = "unpack it, and give what is in it";
constexpr std::string_view give_checkpoint = "give the checkpoint and its memory";
constexpr std::string_view give_symbols =
    "give the release's ISO, the kernel's debuginfo package or its System.map";
constexpr std::string_view not_needed = "it is not needed";
constexpr OtherFile host_log = {"the host's log of a VM (vmware.log)", give_checkpoint, true};

constexpr std::array entries = {
    // Beside a kernel.
    Entry{0x38, "ARMd", {"a boot image of an arm64 kernel", give_symbols}},
    Entry{0, "MZ\0\0zimg"sv, {"a packed boot image (EFI zboot) of a kernel", give_symbols}},
    Entry{0, "!<arch>\n", {"a Debian package or an archive of objects", give_symbols}},
    Entry{0x8001, "BEA01", {"an image with UDF only", "give an ISO 9660 image, or the package"}},
    // Packed or bundled.
    Entry{0x8001, "CD001", {"an ISO image", unpack}},
    Entry{0x101, "ustar", {"a tar archive (support bundle, OVA)", unpack}},
    Entry{0, "PK\x03\x04", {"a zip archive", "unpack it (unzip), and give what is in it"}},
    Entry{0, "7z\xbc\xaf'\x1c", {"a 7z archive", unpack}},
    Entry{0, "\x1f\x8b\x08", {"packed with gzip", "unpack it first (gzip -d)"}},
    Entry{0,
          "\xfd"
          "7zXZ",
          {"packed with xz", "unpack it first (xz -d)"}},
    Entry{0, "\x28\xb5\x2f\xfd", {"packed with zstd", "unpack it first (zstd -d)"}},
    Entry{0, "BZh", {"packed with bzip2", "unpack it first (bzip2 -d)"}},
    // Other forms of a stopped guest.
    Entry{
        0,
        "QEVM",
        {"a QEMU snapshot or migration stream", "write the memory with dump-guest-memory instead"}},
    Entry{0,
          "LibvirtQemudSave",
          {"a libvirt save file", "restore the guest and use virsh dump --memory-only"}},
    Entry{
        0, "LibvirtQemudPart", {"an unfinished libvirt save file", "use virsh dump --memory-only"}},
    Entry{0, "PAGEDU64", {"a Windows crash dump (vmss2core -W)", "give the checkpoint itself"}},
    Entry{0, "PAGEDUMP", {"a Windows crash dump (vmss2core -W)", "give the checkpoint itself"}},
    // Disks.
    Entry{0, "QFI\xfb", {"a virtual disk (qcow2)", "give the guest's memory"}},
    Entry{0, "vhdxfile", {"a virtual disk (vhdx)", "give the guest's memory"}},
    Entry{0, "conectix", {"a virtual disk (vhd)", "give the guest's memory"}},
    Entry{0, "<<< ", {"a virtual disk (vdi)", "give the guest's memory"}},
    Entry{0, "KDMV", {"a virtual disk (.vmdk)", give_checkpoint, true}},
    Entry{0, "COWD", {"a virtual disk (.vmdk)", give_checkpoint, true}},
    Entry{0, "# Disk DescriptorFile", {"a virtual disk (.vmdk)", give_checkpoint, true}},
    // What else VMware keeps of a VM.
    Entry{0, "MRVN", {"the VM's firmware variables (.nvram)", not_needed, true}},
};

constexpr OtherFile text_file = {"a text", "give a checkpoint, memory, or symbols of its kernel"};

bool begins_at(const ByteSource& file, std::uint64_t offset, std::string_view magic) {
  std::string found(magic.size(), '\0');
  if (!file.contains(offset, found.size())) return false;
  file.read_at(offset, std::as_writable_bytes(std::span(found)));
  return found == magic;
}

bool is_text(const ByteSource& file) {
  constexpr std::uint64_t looked_at = 512;
  std::string begin(std::min(looked_at, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  return !begin.empty() && std::all_of(begin.begin(), begin.end(), [](unsigned char c) {
    return std::isprint(c) != 0 || std::isspace(c) != 0 || c >= 0x80;
  });
}

}  // namespace

bool has_ending(const std::filesystem::path& path, std::string_view ending) {
  const std::string name = path.filename().string();
  return name.size() >= ending.size() &&
         std::equal(ending.begin(), ending.end(),
                    name.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [](unsigned char left, unsigned char right) {
                      return std::tolower(left) == std::tolower(right);
                    });
}

std::optional<OtherFile> identify_marked(const ByteSource& file) {
  const auto* found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return begins_at(file, entry.offset, entry.magic);
  });
  if (found != entries.end()) return found->file;
  return is_host_log(file) ? std::optional(host_log) : std::nullopt;
}

std::optional<OtherFile> identify_other(const ByteSource& file, const std::filesystem::path& path) {
  if (auto marked = identify_marked(file)) return marked;
  for (const VmFileName& name : vm_file_names()) {
    if (name.what.empty() || !is_named(path, name.pattern)) continue;
    return OtherFile{name.what, name.advice, true};
  }
  return is_text(file) ? std::optional(text_file) : std::nullopt;
}

}  // namespace photon_dmesg
