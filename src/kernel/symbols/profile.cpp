#include "kernel/symbols/profile.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"

namespace photon_dmesg {
namespace {

using Json = nlohmann::json;

constexpr std::string_view format_name = "photon-dmesg kernel profile";
constexpr int profile_version = 1;  // a later one is a SymbolStore
constexpr std::uint64_t largest_profile = 16 * 1024 * 1024;
constexpr std::uint64_t most_versions = 1000;
constexpr std::uint64_t largest_struct = 1024 * 1024;

GuestVirtual parse_address(const std::string& text) {
  GuestVirtual address;
  const char* end = text.data() + text.size();
  const bool prefixed = text.starts_with("0x") && text.size() > 2;
  const auto [stop, error] =
      std::from_chars(text.data() + (prefixed ? 2 : 0), end, address.value, 16);
  if (!prefixed || error != std::errc() || stop != end) {
    throw unusable(fmt::format("expected an address (0x...), found \"{}\"", text));
  }
  return address;
}

// A whole number from 0 to `most`: JSON has others too.
std::uint64_t whole_number(const Json& json, const char* key, std::uint64_t most) {
  const Json& value = json.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) {
    throw unusable(
        fmt::format("\"{}\": expected a whole number up to {}, found {}", key, most, value.dump()));
  }
  return value.get<std::uint64_t>();
}

void read_bits(const Json& json, MemberLayout& member) {
  if (!json.contains("bit_width")) return;
  constexpr unsigned most_bits = 63;
  member.bit_shift = static_cast<unsigned>(whole_number(json, "bit_shift", most_bits));
  member.bit_width = static_cast<unsigned>(whole_number(json, "bit_width", most_bits));
}

StructLayout layout_from_json(const std::string& name, const Json& json) {
  std::vector<MemberLayout> members;
  for (const Json& entry : json.at("members")) {
    MemberLayout member;
    member.name = entry.at("name").get<std::string>();
    member.offset = whole_number(entry, "offset", largest_struct);
    member.size = whole_number(entry, "size", largest_struct);
    read_bits(entry, member);
    members.push_back(std::move(member));
  }
  return {name, whole_number(json, "size", largest_struct), std::move(members)};
}

std::optional<std::string> optional_text(const Json& json, const char* key) {
  const Json& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

}  // namespace

bool is_profile(const ByteSource& source) {
  const std::string beginning = fmt::format("{{\n  \"format\": \"{}\"", format_name);
  if (!source.contains(0, beginning.size())) {
    return false;
  }
  std::string found(beginning.size(), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == beginning;
}

std::unique_ptr<Profile> Profile::read(const ByteSource& source) {
  return with_context(source.name(), [&] {
    if (source.size() > largest_profile) {
      throw unusable(fmt::format("expected a profile of at most {} bytes, found {}",
                                 largest_profile, source.size()));
    }
    std::string text(source.size(), '\0');
    source.read_at(0, std::as_writable_bytes(std::span(text)));
    auto profile = std::make_unique<Profile>();
    profile->name_ = source.name();
    try {
      const Json json = Json::parse(text);
      const std::uint64_t version = whole_number(json, "version", most_versions);
      if (version != profile_version) {
        throw unusable(
            fmt::format("expected a profile of version {}, found version {}: make it "
                        "again with this photon-dmesg",
                        profile_version, version));
      }
      profile->banner_ = optional_text(json, "banner");
      profile->build_id_ = optional_text(json, "build_id");
      for (const auto& [name, address] : json.at("symbols").items()) {
        profile->symbols_[name] = parse_address(address.get<std::string>());
      }
      for (const auto& [name, layout] : json.at("structs").items()) {
        profile->structs_.emplace(name, layout_from_json(name, layout));
      }
    } catch (const nlohmann::json::exception& error) {
      throw unusable(fmt::format("damaged profile: {}", error.what()));
    }
    return profile;
  });
}

std::vector<std::string> Profile::forget_structs_unless(
    bool (*is_sound)(const StructLayout& layout)) {
  std::vector<std::string> forgotten;
  std::erase_if(structs_, [&](const auto& entry) {
    if (is_sound(entry.second)) return false;
    forgotten.push_back(entry.first);
    return true;
  });
  return forgotten;
}

std::optional<GuestVirtual> Profile::find_symbol(std::string_view name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? std::nullopt : std::optional(found->second);
}

void Profile::for_each_symbol(const SymbolVisit& visit) const {
  for (const auto& [name, address] : symbols_) visit(name, address, SymbolBinding::Global);
}

const StructLayout* Profile::find_struct(std::string_view name) const {
  const auto found = structs_.find(name);
  return found == structs_.end() ? nullptr : &found->second;
}

}  // namespace photon_dmesg
