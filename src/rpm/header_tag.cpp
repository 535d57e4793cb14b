#include "rpm/header_tag.h"

#include <limits>

#include "rpm/librpm.h"

namespace photon_dmesg {

void HeaderTag::Free::operator()(rpmtd_s* value) const {
  librpm().rpmtdFreeData(value);
  librpm().rpmtdFree(value);
}

// What is not found has a count of 0. Text that is translated comes as it stands: which language is
// the user's is not asked, nor the header's table of languages.
HeaderTag::HeaderTag(headerToken_s* header, rpm_tag_t tag) : value_(librpm().rpmtdNew()) {
  constexpr headerGetFlags as_it_stands = HEADERGET_MINMEM | HEADERGET_RAW;
  (void)librpm().headerGet(header, static_cast<rpmTagVal>(tag), value_.get(), as_it_stands);
}

std::size_t HeaderTag::count() const {
  return librpm().rpmtdCount(value_.get());
}

bool HeaderTag::go_to(std::size_t index, rpmTagClass wanted) const {
  return index < count() && index <= std::numeric_limits<int>::max() &&
         librpm().rpmtdClass(value_.get()) == wanted &&
         librpm().rpmtdSetIndex(value_.get(), static_cast<int>(index)) >= 0;
}

std::optional<std::uint64_t> HeaderTag::number(std::size_t index) const {
  if (!go_to(index, RPM_NUMERIC_CLASS)) return std::nullopt;
  return librpm().rpmtdGetNumber(value_.get());
}

std::optional<std::string> HeaderTag::text(std::size_t index) const {
  const char* text =
      go_to(index, RPM_STRING_CLASS) ? librpm().rpmtdGetString(value_.get()) : nullptr;
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

std::span<const std::uint8_t> HeaderTag::bytes() const {
  if (librpm().rpmtdClass(value_.get()) != RPM_BINARY_CLASS) return {};
  return {static_cast<const std::uint8_t*>(value_->data), value_->count};
}

}  // namespace photon_dmesg
