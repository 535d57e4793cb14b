#include "checkpoint/vmware/tag_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/byte_reader.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

// For each time that groups of a name are gone through: groups may overlap, and a tag is read in
// many steps.
constexpr std::uint64_t most_tags = std::uint64_t{1} << 20;

Budget tag_budget(std::string_view group_name) {
  return {fmt::format("tags in the group \"{}\"", group_name), most_tags};
}

std::optional<std::uint32_t> first_word(const ByteSource& source) {
  if (!source.contains(0, sizeof(std::uint32_t))) {
    return std::nullopt;
  }
  return ByteReader(source).u32("the magic");
}

void read_block_header(ByteReader& reader, vmware::LengthWidth lengths, CheckpointTag& tag) {
  const auto width = static_cast<std::size_t>(lengths);
  tag.value_size = reader.unsigned_of(width, "a block's size on disk");
  reader.skip(width, "a block's size in memory");
  // Only `Memory` is known to be padded, but nothing says that other blocks are not.
  reader.skip(reader.u16("a block's padding length"), "a block's padding");
}

// The next tag up to its value, or nothing at the group's end mark (flags and name length both 0).
std::optional<CheckpointTag> read_tag(ByteReader& reader, vmware::LengthWidth lengths) {
  const std::uint8_t flags = reader.u8("a tag's flags");
  const std::uint8_t name_length = reader.u8("a tag's name length");
  if (flags == 0 && name_length == 0) {
    return std::nullopt;
  }
  CheckpointTag tag;
  tag.name = reader.text(name_length, "a tag's name");
  for (unsigned i = flags >> vmware::index_count_shift; i > 0; --i) {
    tag.indices.push_back(reader.u32("a tag's index"));
  }
  const std::uint8_t size = flags & vmware::value_size_mask;
  tag.value_size = size;
  if (size == vmware::plain_block || size == vmware::compressed_block) {
    tag.encoding = size == vmware::plain_block ? CheckpointTag::Encoding::PlainBlock
                                               : CheckpointTag::Encoding::CompressedBlock;
    read_block_header(reader, lengths, tag);
  }
  tag.value_offset = reader.position();
  return tag;
}

}  // namespace

const vmware::Magic* find_checkpoint_magic(const ByteSource& source) {
  const std::optional<std::uint32_t> word = first_word(source);
  const auto* found = std::find_if(vmware::magics.begin(), vmware::magics.end(),
                                   [&](const vmware::Magic& magic) { return magic.value == word; });
  return found == vmware::magics.end() ? nullptr : found;
}

void refuse_encrypted(const ByteSource& source) {
  if (first_word(source) != vmware::encrypted_magic) return;
  constexpr std::uint64_t version_at = 4;
  const bool has_version = source.contains(version_at, sizeof(std::uint32_t));
  const std::uint32_t version =
      has_version ? ByteReader(source, version_at, source.size()).u32("the version") : 0;
  const auto* found =
      std::find_if(vmware::encrypted_files.begin(), vmware::encrypted_files.end(),
                   [&](const vmware::EncryptedFile& file) { return file.version == version; });
  throw unusable(fmt::format(
      "{}: {} of an encrypted virtual machine (magic {:#x}): decrypt the machine on the host "
      "first, or give the checkpoint of an unencrypted one",
      source.name(), found == vmware::encrypted_files.end() ? "a file" : found->what,
      vmware::encrypted_magic));
}

TagFile::TagFile(const ByteSource& source)
    : source_(source), magic_(find_checkpoint_magic(source)) {
  ByteReader reader(source);
  const std::uint32_t magic = reader.u32("the magic of a checkpoint");
  if (magic_ == nullptr) {
    throw unusable(
        fmt::format("not a VMware checkpoint: expected a magic such as {:#x}, found {:#x}",
                    vmware::magics.front().value, magic));
  }
  reader.skip(sizeof(std::uint32_t), "the version");
  read_groups(reader.u32("the number of groups"));
}

void TagFile::read_groups(std::uint32_t count) {
  ByteReader reader(source_);
  reader.skip(vmware::header_bytes, "the header");
  if (count > reader.remaining() / vmware::group_entry_bytes) {
    throw unusable(fmt::format(
        "truncated: expected a table of {} groups ({} bytes) at offset {:#x}, but it ends at {:#x}",
        count, std::uint64_t{count} * vmware::group_entry_bytes, reader.position(),
        source_.size()));
  }
  for (std::uint32_t i = 0; i < count && group_budget_.take(); ++i) {
    std::string name = reader.text(vmware::group_name_bytes, "a group's name");
    name.resize(std::min(name.size(), name.find('\0')));
    const std::uint64_t position = reader.u64("a group's position");
    const std::uint64_t size = reader.u64("a group's size");
    const bool truncated = !source_.contains(position, size);
    const std::uint64_t end = size == 0 ? source_.size() : position + size;
    groups_by_name_[name].push_back(groups_.size());
    groups_.push_back({std::move(name), position, end, truncated});
  }
}

// Nothing at the group's end, and when too many have been read.
std::optional<CheckpointTag> TagFile::next_tag(ByteReader& reader, Budget& tags) const {
  // A group that fills its size to the last byte needs no end mark.
  if (reader.remaining() == 0) return std::nullopt;
  if (!tags.take()) {
    exceeded_tags_ = tags;
    return std::nullopt;
  }
  return read_tag(reader, magic_->lengths);
}

void TagFile::warn_if_cut(Diagnostics& diagnostics) const {
  group_budget_.warn_if_exceeded(source_.name(), diagnostics);
  if (exceeded_tags_) exceeded_tags_->warn_if_exceeded(source_.name(), diagnostics);
}

std::optional<std::string> TagFile::for_each_tag(std::string_view group_name, const TagVisit& visit,
                                                 Completeness completeness) const {
  Budget tags = tag_budget(group_name);
  std::optional<std::string> lack;
  const auto found = groups_by_name_.find(std::string(group_name));
  if (found == groups_by_name_.end()) return lack;
  for (const std::size_t index : found->second) {
    const Group& group = groups_[index];
    try {
      if (completeness == Completeness::Required) require_whole(group);
      with_context(fmt::format("group \"{}\"", group.name),
                   [&] { visit_tags(group, tags, visit); });
      require_whole(group);
    } catch (const Error& error) {
      // The last tag was the last one that is there.
      if (completeness == Completeness::Required) throw;
      if (!lack) lack = error.what();
    }
  }
  return lack;
}

void TagFile::require_whole(const Group& group) const {
  if (!group.truncated) return;
  throw unusable(
      fmt::format("truncated: expected the group \"{}\" at {:#x}, {} bytes, but it ends at {:#x}",
                  group.name, group.position, group.end - group.position, source_.size()));
}

void TagFile::visit_tags(const Group& group, Budget& tags, const TagVisit& visit) const {
  ByteReader reader(source_, group.position, std::min(group.end, source_.size()));
  while (const std::optional<CheckpointTag> tag = next_tag(reader, tags)) {
    visit(*tag);
    reader.skip(tag->value_size, "a tag's value");
  }
}

std::uint64_t TagFile::value_of(const CheckpointTag& tag) const {
  ByteReader reader(source_, tag.value_offset, tag.value_offset + tag.value_size);
  return with_context(fmt::format("tag \"{}\"", tag.name), [&] {
    return reader.unsigned_of(static_cast<std::size_t>(tag.value_size), "its value");
  });
}

}  // namespace photon_dmesg
