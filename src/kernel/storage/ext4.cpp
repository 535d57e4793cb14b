#include "kernel/storage/ext4.h"

#include <string>
#include <string_view>

#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t error_state = 2;  // EXT4_ERROR_FS, of s_mount_state
// EXT4_FLAGS_SHUTDOWN and EXT4_FLAGS_EMERGENCY_RO, of s_ext4_flags.
constexpr std::uint64_t stopped_flags = 1U << 1 | 1U << 3;

// The super block as it is on disk, which is the same everywhere (fs/ext4/ext4.h), in bytes.
namespace on_disk {
constexpr std::uint64_t error_count = 404;
constexpr std::uint64_t first_error_time = 408;
constexpr std::uint64_t first_error_function = 424;
constexpr std::uint64_t first_error_line = 456;
constexpr std::uint64_t last_error_time = 460;
constexpr std::uint64_t last_error_line = 468;
constexpr std::uint64_t last_error_function = 480;
constexpr std::uint64_t first_error_time_high = 632;  // since 4.18
constexpr std::uint64_t last_error_time_high = 633;
constexpr std::size_t function_size = 32;
}  // namespace on_disk

constexpr std::size_t number_size = 4;
constexpr std::size_t longest_function = 64;

class Ext4 {
 public:
  Ext4(const KernelMemory& memory, const KernelTypes& types, GuestVirtual info)
      : memory_(memory), types_(types), info_(info) {}

  void read(FileSystem& file_system) const {
    if (const auto state = number("ext4_sb_info.s_mount_state")) {
      file_system.has_errors = (*state & error_state) != 0;
    }
    if (const auto flags = number("ext4_sb_info.s_ext4_flags")) {  // since 4.11
      file_system.is_shut_down = (*flags & stopped_flags) != 0;
    }
    read_noted(file_system);
    read_not_yet_noted(file_system);
  }

  [[nodiscard]] std::optional<GuestVirtual> journal() const {
    return read_pointer(memory_, info_, types_.find("ext4_sb_info.s_journal"));
  }

 private:
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view member) const {
    return read_number(memory_, info_, types_.find(member));
  }

  // What stands in the super block that goes to the disk.
  void read_noted(FileSystem& file_system) const {
    const auto block = read_pointer(memory_, info_, types_.find("ext4_sb_info.s_es"));
    if (!block) return;
    file_system.error_count = memory_.read_unsigned(*block + on_disk::error_count, number_size);
    if (file_system.error_count.value_or(0) == 0) return;
    file_system.first_error =
        read_error(*block + on_disk::first_error_function, *block + on_disk::first_error_line,
                   *block + on_disk::first_error_time, *block + on_disk::first_error_time_high);
    file_system.last_error =
        read_error(*block + on_disk::last_error_function, *block + on_disk::last_error_line,
                   *block + on_disk::last_error_time, *block + on_disk::last_error_time_high);
  }

  [[nodiscard]] FileSystemError read_error(GuestVirtual function, GuestVirtual line,
                                           GuestVirtual time, GuestVirtual time_high) const {
    FileSystemError error;
    error.function = memory_.read_text(function, on_disk::function_size).value_or("");
    error.line = memory_.read_unsigned(line, number_size);
    const auto low = memory_.read_unsigned(time, number_size);
    const auto high = memory_.read_unsigned(time_high, 1);
    constexpr unsigned low_bits = 32;
    if (low && high) error.time = *low | *high << low_bits;
    return error;
  }

  // Since 5.11 an error is first noted beside it, and goes there when the disk is written to.
  void read_not_yet_noted(FileSystem& file_system) const {
    const auto count = number("ext4_sb_info.s_add_error_count");
    if (!count || *count == 0) return;
    file_system.error_count = file_system.error_count.value_or(0) + *count;
    const auto error = [&](const std::string& which) {
      FileSystemError found;
      const auto function =
          read_pointer(memory_, info_, types_.find("ext4_sb_info." + which + "_func"));
      if (function) found.function = memory_.read_text(*function, longest_function).value_or("");
      found.line = number("ext4_sb_info." + which + "_line");
      found.time = number("ext4_sb_info." + which + "_time");
      return found;
    };
    if (!file_system.first_error) file_system.first_error = error("s_first_error");
    file_system.last_error = error("s_last_error");
  }

  const KernelMemory& memory_;
  const KernelTypes& types_;
  GuestVirtual info_;
};

}  // namespace

void read_ext4(const GuestKernel& kernel, const KernelTypes& types, GuestVirtual info,
               FileSystem& file_system) {
  const Ext4 ext4(kernel.memory(), types, info);
  ext4.read(file_system);
  if (const auto journal = ext4.journal()) {
    file_system.journal = read_journal(kernel, types, *journal);
  }
}

}  // namespace photon_dmesg
