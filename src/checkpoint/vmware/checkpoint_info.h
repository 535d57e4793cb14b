#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "checkpoint/vmware/memory_group.h"
#include "checkpoint/vmware/tag_file.h"

namespace photon_dmesg {

// What a checkpoint says of itself, whether or not its guest can be read.
struct CheckpointInfo {
  std::uint32_t magic = 0;
  std::string meaning;  // of the magic
  std::uint32_t version = 0;
  std::vector<TagFile::Group> groups;

  std::optional<std::string> product;
  std::optional<std::string> product_version;
  bool has_screenshot = false;
  bool has_configuration = false;

  std::vector<Vcpu> vcpus;
  std::optional<MemoryDescription> memory;

  // What of the above is missing because its group is damaged.
  std::vector<std::string> problems;
};

// Reads as much as can be read. Throws Error(UnusableInput) only if there is no group table.
[[nodiscard]] CheckpointInfo read_checkpoint_info(const ByteSource& file, Diagnostics& diagnostics);

// One tag for a listing.
struct ListedTag {
  std::string group;
  CheckpointTag tag;
  std::optional<std::uint64_t> number;  // of an inline value, or of a block of at most 8 bytes
  std::optional<std::string> text;      // of a longer one that begins with printable text
};

// Every tag of every group, in the order of the group table. The reason why a group could not be
// read to its end goes to `problems`; that there are too many of them is a warning.
[[nodiscard]] std::vector<ListedTag> list_tags(const ByteSource& file,
                                               std::vector<std::string>& problems,
                                               Diagnostics& diagnostics);

// The bytes of a block that a user may want as a file: the guest's screen (PNG) and its
// configuration (.vmx text). Throws Error(UnusableInput) if the checkpoint has none, or only a
// compressed one.
[[nodiscard]] std::vector<std::byte> read_screenshot(const ByteSource& file);
[[nodiscard]] std::vector<std::byte> read_configuration(const ByteSource& file);

// The machine's name as VMware shows it (displayName of the configuration); nothing if the
// checkpoint does not hold it.
[[nodiscard]] std::optional<std::string> read_machine_name(const ByteSource& file);

}  // namespace photon_dmesg
