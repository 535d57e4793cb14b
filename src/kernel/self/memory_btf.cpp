#include "kernel/self/memory_btf.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/error.h"
#include "base/large_buffer.h"

namespace photon_dmesg {
namespace {

// How the header begins: magic, version 1, no flags.
constexpr std::string_view first_bytes("\x9f\xeb\x01\0", 4);

// Every kernel has it: BTF without it is that of something else, such as a module.
constexpr std::string_view expected_struct = "task_struct";

// Null if `bytes` are not the kernel's types. They may stand anywhere in what is searched.
std::shared_ptr<const Btf> parse_types(LargeBuffer bytes) {
  try {
    std::shared_ptr<const Btf> types = Btf::parse(std::move(bytes), "BTF in the guest's memory");
    return types->find_struct(expected_struct) == nullptr ? nullptr : types;
  } catch (const Error&) {
    return nullptr;
  }
}

std::shared_ptr<const Btf> say(std::shared_ptr<const Btf> types, std::string how,
                               Diagnostics& diagnostics) {
  diagnostics.found({.what = "types",
                     .value = fmt::format("{}", types->size()),
                     .where = "BTF",
                     .how = std::move(how)});
  return types;
}

std::shared_ptr<const Btf> find_by_symbols(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> begin = kernel.find_address("__start_BTF");
  const std::optional<GuestVirtual> end = kernel.find_address("__stop_BTF");
  if (!begin || !end || *end <= *begin || *end - *begin > most_btf_bytes) return nullptr;
  LargeBuffer bytes(*end - *begin);
  if (!kernel.memory().read(*begin, bytes.bytes())) return nullptr;
  std::shared_ptr<const Btf> types = parse_types(std::move(bytes));
  if (!types) return nullptr;
  return say(std::move(types), fmt::format("the guest's memory at {}, by __start_BTF", *begin),
             diagnostics);
}

std::shared_ptr<const Btf> find_in_range(const KernelImage& image, const ImageRange& range,
                                         Budget& attempts, Diagnostics& diagnostics) {
  const std::span<const std::byte> content = image.bytes(range);
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  for (std::size_t at = text.find(first_bytes); at != std::string_view::npos;
       at = text.find(first_bytes, at + 1)) {
    const std::span<const std::byte> rest = content.subspan(at);
    const std::optional<std::uint64_t> size = find_btf_size(rest);
    if (!size || *size > rest.size()) continue;
    if (!attempts.take()) return nullptr;
    LargeBuffer bytes(*size);
    std::copy_n(rest.begin(), *size, bytes.bytes().begin());
    if (auto types = parse_types(std::move(bytes))) {
      return say(std::move(types),
                 fmt::format("a header in the guest's memory, at {}", range.begin + at),
                 diagnostics);
    }
  }
  return nullptr;
}

// The types are read-only data, but not every kernel protects that.
std::shared_ptr<const Btf> find_in_image(const KernelImage& image, Diagnostics& diagnostics) {
  Budget attempts("places that look like BTF", 16);
  for (const std::vector<ImageRange>* ranges : {&image.read_only(), &image.other()}) {
    for (const ImageRange& range : *ranges) {
      if (auto types = find_in_range(image, range, attempts, diagnostics)) return types;
    }
  }
  attempts.warn_if_exceeded("the kernel image", diagnostics);
  return nullptr;
}

}  // namespace

std::shared_ptr<const Btf> find_memory_btf(const GuestKernel& kernel, Diagnostics& diagnostics) {
  if (auto types = find_by_symbols(kernel, diagnostics)) return types;
  if (auto types = find_in_image(kernel.image(), diagnostics)) return types;
  diagnostics.found({.what = "no types", .where = "BTF", .how = "none in the kernel image"});
  return nullptr;
}

}  // namespace photon_dmesg
