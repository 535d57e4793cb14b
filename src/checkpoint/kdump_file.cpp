#include "checkpoint/kdump_file.h"

#include <fmt/format.h>
#include <libkdumpfile/kdumpfile.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "base/error.h"
#include "base/file_stream.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::array<std::string_view, 2> magics = {"KDUMP   ", "DISKDUMP"};

// A flattened dump: "makedumpfile" and two numbers in a header of 4096 bytes, then pieces of the
// real file, each behind its offset and size as big-endian numbers; -1 ends them (makedumpfile(8),
// makedumpfile.h).
constexpr std::string_view flattened_magic("makedumpfile\0\0\0\0", 16);
constexpr std::uint64_t flattened_header_bytes = 4096;
constexpr std::uint64_t flattened_end = ~std::uint64_t{0};

bool begins_with(const ByteSource& source, std::string_view magic) {
  std::string found(magic.size(), '\0');
  if (!source.contains(0, found.size())) return false;
  source.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == magic;
}

// A file in memory only, for a library that takes descriptors.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("photon-dmesg", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw unusable("no memory for putting the dump in order");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count <= 0) throw unusable("no memory for putting the dump in order");
      offset += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

void copy(const ByteSource& source, std::uint64_t from, std::uint64_t size, MemoryFile& target,
          std::uint64_t to) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size, std::uint64_t{1} << 20));
  for (std::uint64_t done = 0; done < size; done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(buffer.size(), size - done));
    source.read_at(from + done, buffer);
    target.write(to + done, buffer);
  }
}

std::uint64_t read_big_endian(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, sizeof(std::uint64_t)> bytes{};
  source.read_at(offset, bytes);
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

void put_in_order(const ByteSource& source, MemoryFile& target, Diagnostics& diagnostics) {
  std::uint64_t at = flattened_header_bytes;
  while (true) {
    const std::uint64_t offset = read_big_endian(source, at);
    const std::uint64_t size = read_big_endian(source, at + sizeof(offset));
    if (offset == flattened_end) return;
    at += sizeof(offset) + sizeof(size);
    // What a file of that size could not hold is damage.
    if (!source.contains(at, size) || offset > std::uint64_t{1} << 48) {
      throw unusable(fmt::format(
          "{}: truncated or damaged: expected {} bytes for offset {:#x} at {:#x}, but it ends at "
          "{:#x}",
          source.name(), size, offset, at, source.size()));
    }
    copy(source, at, size, target, offset);
    at += size;
    diagnostics.progress(fmt::format("putting {} in order", source.name()), at, source.size());
  }
}

struct FreeContext {
  void operator()(kdump_ctx_t* context) const { kdump_free(context); }
};
using Context = std::unique_ptr<kdump_ctx_t, FreeContext>;

// GuestMemory through libkdumpfile. A context serves one thread at a time.
class KdumpMemory final : public GuestMemory {
 public:
  // `files`: what the context reads, beside files that others own.
  KdumpMemory(std::vector<std::unique_ptr<MemoryFile>> files, Context context, std::string name)
      : files_(std::move(files)), context_(std::move(context)), name_(std::move(name)) {
    read_page_map();
  }

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const std::lock_guard lock(mutex_);
    std::size_t size = target.size();
    const kdump_status status =
        kdump_read(context_.get(), KDUMP_MACHPHYSADDR, address.value, target.data(), &size);
    if (status == KDUMP_OK) return true;
    if (status == KDUMP_ERR_NODATA) return false;
    throw unusable(fmt::format("{}: reading {} bytes at physical {} failed: {}", name_,
                               target.size(), address, kdump_get_err(context_.get())));
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override { return ranges_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void read_page_map() {
    kdump_attr_t map{};
    map.type = KDUMP_BITMAP;
    if (kdump_get_typed_attr(context_.get(), KDUMP_ATTR_FILE_PAGEMAP, &map) != KDUMP_OK) {
      throw unusable(
          fmt::format("{}: no map of its pages: {}", name_, kdump_get_err(context_.get())));
    }
    kdump_addr_t begin = 0;
    while (kdump_bmp_find_set(map.val.bitmap, &begin) == KDUMP_OK) {
      kdump_addr_t end = begin;
      if (kdump_bmp_find_clear(map.val.bitmap, &end) != KDUMP_OK) break;
      ranges_.push_back({{begin * page}, (end - begin) * page});
      begin = end;
    }
  }

  std::vector<std::unique_ptr<MemoryFile>> files_;
  Context context_;
  std::string name_;
  std::vector<PhysicalRange> ranges_;
  mutable std::mutex mutex_;
};

std::optional<std::uint64_t> number(kdump_ctx_t* context, const std::string& key) {
  kdump_num_t value = 0;
  if (kdump_get_number_attr(context, key.c_str(), &value) != KDUMP_OK) return std::nullopt;
  return value;
}

std::vector<Vcpu> read_registers(kdump_ctx_t* context) {
  constexpr std::array names = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
  constexpr std::uint64_t most_vcpus = 4096;
  std::vector<Vcpu> vcpus(std::min(most_vcpus, number(context, KDUMP_ATTR_NUM_CPUS).value_or(0)));
  for (std::uint32_t i = 0; i < vcpus.size(); ++i) {
    const auto reg = [&](const char* name) {
      return number(context, fmt::format("cpu.{}.reg.{}", i, name));
    };
    vcpus[i].index = i;
    for (std::size_t n = 0; n < names.size(); ++n) vcpus[i].general[n] = reg(names[n]);
    if (const auto rip = reg("rip")) vcpus[i].rip = GuestVirtual{*rip};
    if (const auto cs = reg("cs")) vcpus[i].cs = static_cast<std::uint16_t>(*cs);
    vcpus[i].rflags = reg("rflags");
  }
  return vcpus;
}

std::optional<std::string> read_vmcoreinfo(kdump_ctx_t* context) {
  // Notes are looked at only once the library knows whose they are. It may object to what else it
  // finds then, which is not needed here.
  (void)kdump_set_string_attr(context, KDUMP_ATTR_OSTYPE, "linux");
  char* raw = nullptr;
  if (kdump_vmcoreinfo_raw(context, &raw) != KDUMP_OK) return std::nullopt;
  std::string text(raw);
  std::free(raw);
  return text;
}

}  // namespace

bool is_kdump_file(const ByteSource& source) {
  return begins_with(source, flattened_magic) ||
         std::any_of(magics.begin(), magics.end(),
                     [&](std::string_view magic) { return begins_with(source, magic); });
}

GuestState open_kdump_files(std::vector<std::unique_ptr<ByteSource>> files,
                            Diagnostics& diagnostics) {
  GuestState state;
  state.format = "kdump file";
  state.path = files.front()->name();
  state.memory_path = state.path;
  std::vector<int> descriptors;
  std::vector<std::unique_ptr<MemoryFile>> in_memory;
  for (const std::unique_ptr<ByteSource>& file : files) {
    const bool flattened = begins_with(*file, flattened_magic);
    if (!flattened && file->descriptor()) {
      descriptors.push_back(*file->descriptor());
      continue;
    }
    in_memory.push_back(std::make_unique<MemoryFile>());
    descriptors.push_back(in_memory.back()->descriptor());
    if (flattened) {
      put_in_order(*file, *in_memory.back(), diagnostics);
    } else {
      copy(*file, 0, file->size(), *in_memory.back(), 0);
    }
  }
  Context context(kdump_new());
  if (!context) throw unusable("libkdumpfile: out of memory");
  const kdump_status status = kdump_open_fdset(
      context.get(), static_cast<unsigned>(descriptors.size()), descriptors.data());
  if (status != KDUMP_OK) {
    const std::string reason = kdump_get_err(context.get());
    // libkdumpfile 0.5.1 crashes when it frees what a failed opening has left.
    (void)context.release();
    throw unusable(fmt::format("{}: {}", state.path, reason));
  }
  state.vcpus = read_registers(context.get());
  state.vmcoreinfo = read_vmcoreinfo(context.get());
  state.memory =
      std::make_unique<KdumpMemory>(std::move(in_memory), std::move(context), state.path);
  diagnostics.note(fmt::format("{}: kdump file of {}, {} vCPUs, {} bytes of memory in {} ranges",
                               state.path, files.size() == 1 ? "one part" : "several parts",
                               state.vcpus.size(), state.memory->size(),
                               state.memory->ranges().size()));
  state.files = std::move(files);
  return state;
}

}  // namespace photon_dmesg
