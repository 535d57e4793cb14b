#include "checkpoint/vmware/checkpoint_info.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <set>

#include "base/byte_reader.h"
#include "base/error.h"
#include "base/printable.h"
#include "checkpoint/vmware/cpu_group.h"

namespace photon_dmesg {
namespace {

// More than any text or picture in a checkpoint, less than its memory.
constexpr std::uint64_t largest_block = 64 * 1024 * 1024;

// The text of a tag up to its NUL.
std::string text_of(const ByteSource& file, const CheckpointTag& tag, std::uint64_t longest) {
  const std::uint64_t size = std::min(tag.value_size, longest);
  ByteReader reader(file, tag.value_offset, tag.value_offset + size);
  std::string text = reader.text(static_cast<std::size_t>(size), "a text");
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

// Runs `read`; if the group is damaged, that is one of the problems.
template <typename Read>
void attempt(std::vector<std::string>& problems, const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    problems.emplace_back(error.what());
  }
}

bool has_tag(const TagFile& tags, std::string_view group, std::string_view name) {
  bool found = false;
  tags.for_each_tag(group, [&](const CheckpointTag& tag) { found |= tag.name == name; });
  return found;
}

void read_product(const TagFile& tags, CheckpointInfo& info) {
  constexpr std::uint64_t longest = 256;
  tags.for_each_tag(vmware::group::checkpoint, [&](const CheckpointTag& tag) {
    if (tag.name == vmware::tag::product_name) {
      info.product = text_of(tags.source(), tag, longest);
    } else if (tag.name == vmware::tag::product_version) {
      info.product_version = text_of(tags.source(), tag, longest);
    }
  });
}

ListedTag describe(const TagFile& tags, const std::string& group, const CheckpointTag& tag) {
  ListedTag listed{group, tag, std::nullopt, std::nullopt};
  if (tag.encoding == CheckpointTag::Encoding::CompressedBlock) return listed;
  if (tag.value_size <= sizeof(std::uint64_t)) {
    listed.number = tags.value_of(tag);
    return listed;
  }
  constexpr std::uint64_t longest = 60;
  const std::string text = text_of(tags.source(), tag, longest);
  const bool is_text = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
  });
  if (is_text) listed.text = text;
  return listed;
}

std::vector<std::byte> read_block(const ByteSource& file, std::string_view group,
                                  std::string_view name, const char* what) {
  const TagFile tags(file);
  std::optional<CheckpointTag> found;
  tags.for_each_tag(group, [&](const CheckpointTag& tag) {
    if (tag.name == name && !found) found = tag;
  });
  if (!found || found->value_size == 0) {
    throw unusable(
        fmt::format(R"({}: holds no {} (tag "{}" of group "{}"))", file.name(), what, name, group));
  }
  if (found->encoding == CheckpointTag::Encoding::CompressedBlock ||
      found->value_size > largest_block) {
    throw unusable(fmt::format(
        "{}: the {} in tag \"{}\" at offset {:#x} can't be taken out: {} bytes, {}", file.name(),
        what, name, found->value_offset, found->value_size,
        found->encoding == CheckpointTag::Encoding::CompressedBlock ? "compressed" : "too many"));
  }
  std::vector<std::byte> bytes(found->value_size);
  file.read_at(found->value_offset, bytes);
  return bytes;
}

// The value of a configuration's line `key = "value"`; nothing if it is of another key.
std::optional<std::string> value_of(std::string_view line, std::string_view key) {
  if (line.size() < key.size() || ::strncasecmp(line.data(), key.data(), key.size()) != 0) {
    return std::nullopt;
  }
  line.remove_prefix(key.size());
  const std::size_t begin = line.find_first_not_of(" \t=");
  const std::size_t end = line.rfind('"');
  if (begin == std::string_view::npos || begin == 0 || line[begin] != '"' || end <= begin) {
    return std::nullopt;
  }
  return std::string(line.substr(begin + 1, end - begin - 1));
}

Machine machine_of(const std::optional<MemoryDescription>& memory) {
  return memory ? memory->machine() : Machine::X86_64;
}

}  // namespace

CheckpointInfo read_checkpoint_info(const ByteSource& file, Diagnostics& diagnostics) {
  const TagFile tags(file);
  CheckpointInfo info;
  info.magic = tags.magic().value;
  info.meaning = tags.magic().meaning;
  info.version = ByteReader(file, sizeof(info.magic), file.size()).u32("the version");
  info.groups = tags.groups();
  attempt(info.problems, [&] { read_product(tags, info); });
  attempt(info.problems, [&] {
    info.has_screenshot = has_tag(tags, vmware::group::screen, vmware::tag::screenshot);
  });
  attempt(info.problems, [&] {
    info.has_configuration = has_tag(tags, vmware::group::snapshot, vmware::tag::configuration);
  });
  attempt(info.problems, [&] { info.memory = read_memory_description(tags); });
  attempt(info.problems,
          [&] { info.vcpus = read_vcpus(tags, machine_of(info.memory), diagnostics); });
  tags.warn_if_cut(diagnostics);
  return info;
}

std::vector<ListedTag> list_tags(const ByteSource& file, std::vector<std::string>& problems,
                                 Diagnostics& diagnostics) {
  const TagFile tags(file);
  // So that they fit into memory, as text or JSON too.
  Budget budget("tags to be listed", std::uint64_t{1} << 18);
  std::vector<ListedTag> listed;
  std::set<std::string> done;  // for_each_tag() takes all groups of a name
  for (const TagFile::Group& group : tags.groups()) {
    if (!done.insert(group.name).second) continue;
    attempt(problems, [&] {
      tags.for_each_tag(group.name, [&](const CheckpointTag& tag) {
        if (budget.take()) listed.push_back(describe(tags, group.name, tag));
      });
    });
    if (budget.exceeded()) break;
  }
  budget.warn_if_exceeded(file.name(), diagnostics);
  tags.warn_if_cut(diagnostics);
  return listed;
}

std::vector<std::byte> read_screenshot(const ByteSource& file) {
  return read_block(file, vmware::group::screen, vmware::tag::screenshot, "screenshot");
}

std::vector<std::byte> read_configuration(const ByteSource& file) {
  std::vector<std::byte> bytes =
      read_block(file, vmware::group::snapshot, vmware::tag::configuration, "configuration");
  bytes.erase(std::find(bytes.begin(), bytes.end(), std::byte{0}), bytes.end());
  return bytes;
}

std::optional<std::string> read_machine_name(const ByteSource& file) {
  std::vector<std::byte> bytes;
  try {
    bytes = read_configuration(file);
  } catch (const Error&) {
    return std::nullopt;  // it has none, or none that can be read
  }
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (std::optional<std::string> name = value_of(line, "displayName")) return name;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
