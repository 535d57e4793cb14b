#include "support/same_symbols.h"

#include <catch2/catch.hpp>
#include <set>

#include "kernel/symbols/types_of_use.h"

namespace photon_dmesg::test {
namespace {

bool same_place(const std::optional<SymbolPlace>& left, const std::optional<SymbolPlace>& right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return left->name == right->name && left->offset == right->offset;
}

}  // namespace

void check_same_layout(const StructLayout& found, const StructLayout& expected) {
  CHECK(found.size() == expected.size());
  REQUIRE(found.members().size() == expected.members().size());
  for (std::size_t i = 0; i < found.members().size(); ++i) {
    const MemberLayout& left = found.members()[i];
    const MemberLayout& right = expected.members()[i];
    CHECK(left.name == right.name);
    CHECK(left.offset == right.offset);
    CHECK(left.size == right.size);
    CHECK(left.bit_shift == right.bit_shift);
    CHECK(left.bit_width == right.bit_width);
    CHECK(left.type == right.type);
  }
}

void check_same_symbols(const KernelSymbols& found, const KernelSymbols& expected) {
  std::set<std::string> names = {"no such symbol", "zzzz", "_", "."};
  std::set<GuestVirtual> addresses = {{0}, {~std::uint64_t{0}}};
  expected.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (name.empty()) return;
    names.emplace(name);
    names.emplace(name.substr(0, name.find('.')));
    names.emplace(name.substr(0, name.size() - 1));
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      addresses.insert(address + step);
    }
  });
  names.erase("");  // that is no symbol's
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(found.find_symbol(name) == expected.find_symbol(name));
    CHECK(found.find_static(name) == expected.find_static(name));
  }
  for (const GuestVirtual address : addresses) {
    CAPTURE(address.value);
    CHECK(same_place(found.find_place(address), expected.find_place(address)));
  }
  for (const TypeOfUse& type : types_of_use()) {
    CAPTURE(type.name);
    const StructLayout* layout = expected.find_struct(type.name);
    REQUIRE((found.find_struct(type.name) == nullptr) == (layout == nullptr));
    if (layout != nullptr) check_same_layout(*found.find_struct(type.name), *layout);
  }
}

}  // namespace photon_dmesg::test
