#include "rpm/payload_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "rpm/header_tag.h"

namespace photon_dmesg {
namespace {

// In which formats the payload was ever written: rpm's PAYLOADFORMAT tag. Others are "drpm" and, of
// early versions, "ustar".
constexpr std::string_view known_format = "cpio";

// What a package requires of rpm for the sake of its payload begins with this (rpm's
// lib/rpmds.cc).
constexpr std::string_view payload_feature = "rpmlib(Payload";
constexpr std::array known_features = {
    std::string_view("rpmlib(PayloadFilesHavePrefix)"), std::string_view("rpmlib(PayloadIsBzip2)"),
    std::string_view("rpmlib(PayloadIsLzma)"),          std::string_view("rpmlib(PayloadIsXz)"),
    std::string_view("rpmlib(PayloadIsZstd)"),
};

bool is_unknown_feature(std::string_view name) {
  return name.starts_with(payload_feature) &&
         std::find(known_features.begin(), known_features.end(), name) == known_features.end();
}

std::optional<std::string> find_unknown_feature(headerToken_s* header) {
  const HeaderTag names(header, RPMTAG_REQUIRENAME);
  for (std::size_t i = 0; i < names.count(); ++i) {
    std::optional<std::string> name = names.text(i);
    if (name && is_unknown_feature(*name)) return name;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unknown_payload_format(headerToken_s* header) {
  const std::optional<std::string> format = HeaderTag(header, RPMTAG_PAYLOADFORMAT).text();
  if (format && *format != known_format) return fmt::format("is of format \"{}\"", *format);
  const auto feature = find_unknown_feature(header);
  return feature ? std::optional("needs " + *feature) : std::nullopt;
}

}  // namespace photon_dmesg
