#include "kernel/symbols/kernel_types.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// `path` without its first part, which it returns.
std::string_view take_part(std::string_view& path) {
  const std::size_t dot = path.find('.');
  const std::string_view part = path.substr(0, dot);
  path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  return part;
}

std::optional<Field> find_in(const TypeSource& source, std::string_view path) {
  const StructLayout* layout = source.find_struct(take_part(path));
  Field field;
  field.source = &source;
  while (layout != nullptr) {
    const MemberLayout* member = layout->find(take_part(path));
    if (member == nullptr) return std::nullopt;
    field.offset += member->offset;
    field.size = member->size;
    field.bit_shift = member->bit_shift;
    field.bit_width = member->bit_width;
    if (path.empty()) return field;
    layout = member->type.empty() ? nullptr : source.find_struct(member->type);
  }
  return std::nullopt;
}

bool is_same(const Field& left, const Field& right) {
  return left.offset == right.offset && left.bit_shift == right.bit_shift &&
         left.bit_width == right.bit_width;
}

}  // namespace

std::optional<Field> KernelTypes::find(std::string_view path) const {
  const auto known = known_.find(path);
  if (known != known_.end()) return known->second;
  std::optional<Field> answer;
  for (const auto& source : sources_) {
    const std::optional<Field> found = find_in(*source, path);
    if (!found) continue;
    if (!answer) {
      answer = found;
    } else if (!is_same(*answer, *found)) {
      doubts_.push_back(fmt::format("{} is at {:#x} by {}, at {:#x} by {}", path, answer->offset,
                                    answer->source->name(), found->offset, source->name()));
    }
  }
  known_.emplace(path, answer);
  return answer;
}

std::optional<Field> KernelTypes::find_any(std::initializer_list<std::string_view> paths) const {
  for (const std::string_view path : paths) {
    if (const auto field = find(path)) return field;
  }
  return std::nullopt;
}

Field KernelTypes::field(std::string_view path) const {
  if (const auto field = find(path)) return *field;
  throw unusable(fmt::format("expected the place of {} in the kernel's types, found none", path));
}

std::optional<std::uint64_t> KernelTypes::size_of(std::string_view name) const {
  for (const auto& source : sources_) {
    const StructLayout* layout = source->find_struct(name);
    if (layout != nullptr && layout->size() > 0) return layout->size();
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
