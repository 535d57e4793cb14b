#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/budget.h"
#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {

class ByteReader;

// One tag of a checkpoint: a name, up to three indices, and where its value lies.
struct CheckpointTag {
  enum class Encoding { Inline, PlainBlock, CompressedBlock };

  std::string name;
  std::vector<std::uint32_t> indices;
  Encoding encoding = Encoding::Inline;
  std::uint64_t value_offset = 0;  // in the file
  std::uint64_t value_size = 0;    // bytes on disk
};

// The container of a checkpoint: groups of tags. Knows nothing of what the tags mean. A checkpoint
// has some ninety groups, and some hundred tags for each vCPU: of many times more, the rest is left
// out. Not for use by several threads at once.
class TagFile {
 public:
  // Reads header and group table of `source`, which must outlive this object. Throws
  // Error(UnusableInput) when the magic is none of vmware::magics or the table is cut off. A group
  // may lie beyond the end of a truncated file: that matters to who reads it.
  explicit TagFile(const ByteSource& source);

  struct Group {
    std::string name;
    std::uint64_t position = 0;
    std::uint64_t end = 0;   // where its tags must have ended
    bool truncated = false;  // the file ends before that
  };

  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] const vmware::Magic& magic() const { return *magic_; }
  [[nodiscard]] const ByteSource& source() const { return source_; }

  // Calls `visit` for each tag of each group named `group_name`, in the order of the file. Throws
  // Error(UnusableInput) at a tag that runs out of its group, and for a truncated group. Where
  // completeness is not required, the tags of a group are visited until one runs out of it, or
  // `visit` throws; the value of the last one may go on beyond the end of the file. Returns why not
  // all were visited; nothing if all were.
  using TagVisit = std::function<void(const CheckpointTag&)>;
  std::optional<std::string> for_each_tag(std::string_view group_name, const TagVisit& visit,
                                          Completeness completeness = Completeness::Required) const;

  // Says what of the groups, and of the tags that were visited so far, has been left out.
  void warn_if_cut(Diagnostics& diagnostics) const;

  // The value of an inline tag, or of a block of at most 8 bytes, zero-extended.
  [[nodiscard]] std::uint64_t value_of(const CheckpointTag& tag) const;

 private:
  void read_groups(std::uint32_t count);
  void require_whole(const Group& group) const;
  void visit_tags(const Group& group, Budget& tags, const TagVisit& visit) const;
  [[nodiscard]] std::optional<CheckpointTag> next_tag(ByteReader& reader, Budget& tags) const;

  const ByteSource& source_;
  const vmware::Magic* magic_ = nullptr;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::vector<std::size_t>> groups_by_name_;  // in groups_
  Budget group_budget_{"groups", std::uint64_t{1} << 16};
  mutable std::optional<Budget> exceeded_tags_;
};

// The entry of vmware::magics that `source` begins with, or nullptr.
[[nodiscard]] const vmware::Magic* find_checkpoint_magic(const ByteSource& source);

// Throws Error(UnusableInput) if `source` begins with the header of an encrypted VM's file, be it
// checkpoint or memory.
void refuse_encrypted(const ByteSource& source);

}  // namespace photon_dmesg
