#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

// Something that knows how structures of the guest's kernel are laid out.
class TypeSource {
 public:
  TypeSource() = default;
  TypeSource(const TypeSource&) = delete;
  TypeSource& operator=(const TypeSource&) = delete;
  virtual ~TypeSource() = default;

  // The layout of `struct name`, which may lack members that this source can't tell; null if it
  // doesn't know the structure. Owned by this object.
  [[nodiscard]] virtual const StructLayout* find_struct(std::string_view name) const = 0;

  // What messages call this source: "BTF in the guest's memory".
  [[nodiscard]] virtual const std::string& name() const = 0;
};

// Where a member lies, counted from the beginning of the outermost structure.
struct Field {
  std::uint64_t offset = 0;            // bytes
  std::uint64_t size = 0;              // bytes
  unsigned bit_shift = 0;              // bit fields: see MemberLayout
  unsigned bit_width = 0;              // bit fields; 0: none
  const TypeSource* source = nullptr;  // that said so
};

// The structures of the guest's kernel, by all sources at hand: the most trusted one that knows an
// answer gives it, the others are held against it.
class KernelTypes {
 public:
  // Sources are added in the order of trust.
  void add(std::shared_ptr<const TypeSource> source) { sources_.push_back(std::move(source)); }

  // Where a member lies, asked as "task_struct.thread.sp": a structure, a member, a member of that,
  // and so on. Members of anonymous structures count as members of the outer one; an array's
  // members are those of its first element. Nothing if no source knows.
  [[nodiscard]] std::optional<Field> find(std::string_view path) const;

  // The first of several, as a member's name has changed over time, that is known.
  [[nodiscard]] std::optional<Field> find_any(std::initializer_list<std::string_view> paths) const;

  // As find(), but Error(UnusableInput) that names what is missing.
  [[nodiscard]] Field field(std::string_view path) const;

  // Bytes that `struct name` takes; nothing if no source knows.
  [[nodiscard]] std::optional<std::uint64_t> size_of(std::string_view name) const;

  // Answers of find() that sources contradict each other in, each as a sentence.
  [[nodiscard]] const std::vector<std::string>& doubts() const { return doubts_; }

  [[nodiscard]] const std::vector<std::shared_ptr<const TypeSource>>& sources() const {
    return sources_;
  }

 private:
  std::vector<std::shared_ptr<const TypeSource>> sources_;
  mutable std::map<std::string, std::optional<Field>, std::less<>> known_;
  mutable std::vector<std::string> doubts_;
};

}  // namespace photon_dmesg
