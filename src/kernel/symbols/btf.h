#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/large_buffer.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/symbols/name_index.h"
#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

// How many bytes of `beginning` tell whether BTF begins there, and how long it is.
inline constexpr std::size_t btf_header_bytes = 24;

// The most that BTF may take: the largest kernel's is about a tenth of it.
inline constexpr std::uint64_t most_btf_bytes = 64 * 1024 * 1024;

// The size of the BTF that begins with these bytes, header and all; nothing if they are no header
// of it: other magic, a version that is not known, parts that lie over one another or nowhere.
[[nodiscard]] std::optional<std::uint64_t> find_btf_size(std::span<const std::byte> beginning);

// The types of a kernel, or of a module, in the form in which Linux carries them itself for its BPF
// (CONFIG_DEBUG_INFO_BTF; Documentation/bpf/btf.rst): all structures that it uses, no addresses.
//
// One that was made to deceive may give wrong answers, as any source of types may, and nothing
// worse: a structure that can't be read is one that this source doesn't know.
class Btf final : public TypeSource {
 public:
  // `bytes` begin with the header; what is behind the BTF's own end is not looked at. `name` is
  // what messages call it. `base`: a module's types go on where those of the kernel end, numbers
  // and strings alike. Throws Error(UnusableInput) when the types can't be told apart.
  [[nodiscard]] static std::unique_ptr<Btf> parse(LargeBuffer bytes, std::string name,
                                                  std::shared_ptr<const Btf> base = nullptr);
  // The same of a copy of `bytes`.
  [[nodiscard]] static std::unique_ptr<Btf> parse(std::span<const std::byte> bytes,
                                                  std::string name,
                                                  std::shared_ptr<const Btf> base = nullptr);

  // Of several structures of one name the first that has members; a union if there is no structure.
  // What a module's types don't have is looked for in those of the kernel.
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  // The value of a constant of any enumeration: of several, the first. Nothing if there is none.
  [[nodiscard]] std::optional<std::int64_t> find_enumerator(std::string_view name) const;

  // How many types there are, those of the base among them.
  [[nodiscard]] std::size_t size() const { return first_type_ + types_.size(); }

 private:
  struct Type;
  struct Place;

  Btf(LargeBuffer bytes, std::string name, std::shared_ptr<const Btf> base);

  void index_types(std::uint32_t begin, std::uint32_t end);
  [[nodiscard]] std::uint32_t word(std::size_t offset) const;
  [[nodiscard]] Type type_at(std::uint32_t offset) const;
  [[nodiscard]] std::optional<Place> find_type(std::uint32_t number) const;
  [[nodiscard]] std::optional<Place> resolve(std::uint32_t number) const;
  [[nodiscard]] std::pair<Place, std::uint64_t> elements_of(std::uint32_t type) const;
  [[nodiscard]] static std::uint64_t size_of(const Type& type);
  [[nodiscard]] std::optional<std::string_view> text(std::uint32_t offset) const;
  [[nodiscard]] bool is_text(std::uint32_t offset, std::string_view wanted) const;

  [[nodiscard]] std::optional<Place> find_definition(std::string_view name) const;
  [[nodiscard]] std::optional<StructLayout> read_struct(std::string_view name) const;
  void read_members(const Place& structure, std::uint64_t base_bits,
                    std::vector<MemberLayout>& members, Budget& steps, int depth) const;
  [[nodiscard]] MemberLayout read_member(std::uint32_t name, std::uint32_t type,
                                         std::uint64_t bit_offset, unsigned bit_width) const;
  [[nodiscard]] std::optional<std::int64_t> find_in_enumeration(const Type& type,
                                                                std::string_view name) const;

  LargeBuffer buffer_;
  std::span<const std::byte> bytes_;  // all of it
  std::string name_;
  std::shared_ptr<const Btf> base_;
  std::span<const std::byte> strings_;       // of bytes_
  std::uint32_t first_type_ = 1;             // 0 is void
  std::uint32_t first_string_ = 0;           // the base has those before it
  std::vector<std::uint32_t> types_;         // where each stands in bytes_
  std::vector<std::uint32_t> structures_;    // the same of structures and unions that have a name
  NameIndex structure_names_;                // by their places there
  std::vector<std::uint32_t> enumerations_;  // and of enumerations
  // Absent structures are remembered too.
  mutable std::map<std::string, std::optional<StructLayout>, std::less<>> layouts_;
};

}  // namespace photon_dmesg
